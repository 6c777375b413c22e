/** What judges the values of each type. A new type is a file beside this one, and a line here and in `types.ts`. */
import type { Stored } from "../literal.js";
import { boolean } from "./boolean.js";
import { choice } from "./choice.js";
import { float } from "./float.js";
import { integer } from "./integer.js";
import { json } from "./json.js";
import { string } from "./string.js";
import type { TypeName } from "./types.js";
import type { ValueType } from "./value-type.js";

export { isTypeName, TYPE_NAMES, type TypeName } from "./types.js";

const TYPES = { float, integer, string, boolean, choice, json } satisfies Readonly<Record<TypeName, object>>;

/** The type of a name. A value is only ever handed back to the type that accepted it. */
export function valueType(name: TypeName): ValueType {
  return TYPES[name] as ValueType<Stored>;
}
