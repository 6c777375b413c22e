/** The closed list of types. A new type is a file beside this one and a line here. */
import type { Stored } from "../literal.js";
import { boolean } from "./boolean.js";
import { float } from "./float.js";
import { integer } from "./integer.js";
import { string } from "./string.js";
import type { ValueType } from "./value-type.js";

const TYPES = { float, integer, string, boolean };

/** The name of a type. */
export type TypeName = keyof typeof TYPES;

export const TYPE_NAMES = Object.keys(TYPES) as readonly TypeName[];

/** True if this is the name of a type. */
export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(TYPES, name);
}

/** The type of a name. A value is only ever handed back to the type that accepted it. */
export function valueType(name: TypeName): ValueType {
  return TYPES[name] as ValueType<Stored>;
}
