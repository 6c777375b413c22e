/**
 * What variables are called in Python. Their names are texts there too, and any name is one. Attributes of a dataclass and
 * types have to be identifiers, so those are made of the name:
 *
 * 1. the name is normalised as Python normalises identifiers (NFKC);
 * 2. what cannot stand in an identifier becomes `_`;
 * 3. what does not begin with a letter gets a `v` in front: also a leading `_`, which says "private" in Python;
 * 4. what Python, or the class itself, uses otherwise gets a `_` behind.
 */
import { quoteName } from "../../core/names.js";
import type { DefinedVariable } from "../defined.js";

const KEYWORDS =
  "False None True and as assert async await break class continue def del elif else except finally for from global if " +
  "import in is lambda nonlocal not or pass raise return try while with yield";
/** What has a meaning of its own in the dataclass, or in every class. */
const IN_CLASS = "DEFINITIONS Value bool float int mro self str";

const RESERVED = new Set(`${KEYWORDS} ${IN_CLASS}`.split(" "));

/** A variable and what it is called in Python. */
export interface NamedVariable extends DefinedVariable {
  /** Of the dataclass. */
  readonly attribute: string;
  /** Of the type of a choice's values; undefined for any other type. */
  readonly choice: string | undefined;
}

/** Names the variables; refuses two that would be called the same. */
export function namedInPython(variables: readonly DefinedVariable[]): NamedVariable[] {
  const taken = new Map<string, string>();
  return variables.map((variable) => {
    const attribute = attributeOf(variable.name);
    const choice = variable.type === "choice" ? `${capitalised(attribute)}Choice` : undefined;
    for (const called of choice === undefined ? [attribute] : [attribute, choice]) {
      const other = taken.get(called);
      if (other !== undefined) {
        const both = `${quoteName(other)} and ${quoteName(variable.name)}`;
        throw new Error(`${both} would both be called ${called} in Python: rename one of them`);
      }
      taken.set(called, variable.name);
    }
    return { ...variable, attribute, choice };
  });
}

function attributeOf(name: string): string {
  const written = name.normalize("NFKC").replaceAll(/[^\p{XID_Continue}]/gu, "_");
  const started = /^\p{XID_Start}/u.test(written) ? written : `v${written}`;
  const identifier = started.normalize("NFKC");
  return RESERVED.has(identifier) ? `${identifier}_` : identifier;
}

/** `warm_up` is `WarmUp`. */
function capitalised(identifier: string): string {
  return identifier
    .split("_")
    .map((word) => word.replace(/^./u, (first) => first.toUpperCase()))
    .join("");
}
