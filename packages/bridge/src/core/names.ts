/**
 * Names of variables and sessions, and ids of variables (VAL-8).
 *
 * An id is `var_<name>_<revision that created it>` and no name has that form, so an identifier is either a name or an
 * id and a look-up is never ambiguous.
 */
import { Refusal } from "./refusal.js";
import { isWellFormed, utf8Length } from "./text.js";

/** The longest name, in bytes of UTF-8. */
export const MAX_NAME_BYTES = 256;

const FORBIDDEN = /[\p{Cc}\u2028\u2029\uFEFF]/u;
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029\uFEFF]/g;
const OUTER_SPACE = /^\p{White_Space}|\p{White_Space}$/u;
const ID_FORM = /^var_(.+)_([0-9]+)$/su;

/** What is wrong with a name, as the end of a sentence; undefined if nothing is. */
function fault(name: string): string | undefined {
  if (name === "") return "is empty";
  if (!isWellFormed(name)) return "is not well-formed Unicode (it has a lone surrogate)";
  const bytes = utf8Length(name);
  if (bytes > MAX_NAME_BYTES) return `takes ${bytes} bytes, more than ${MAX_NAME_BYTES}`;
  if (FORBIDDEN.test(name)) return "has a control character, a line separator or a byte order mark";
  if (OUTER_SPACE.test(name)) return "begins or ends with white space";
  if (name === "__proto__") return "is reserved";
  return undefined;
}

/** A name, or any other text of a caller, in an error text: short, on one line, and unmistakable (VAL-2). */
export function quoteName(name: string): string {
  // No more is looked at than what is 64 characters in any case.
  const points = [...name.slice(0, 130)];
  const short = points.length > 64 ? `${points.slice(0, 64).join("")}…` : name;
  // JSON leaves these as they are, but they would break the line or vanish from it.
  return JSON.stringify(short).replace(
    UNPRINTABLE,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Refuses what cannot be the name of a variable. */
export function checkName(name: string): Refusal | undefined {
  const problem = fault(name) ?? (ID_FORM.test(name) ? "has the form of a variable id" : undefined);
  return problem === undefined
    ? undefined
    : new Refusal("INVALID_NAME", `variable name ${quoteName(name)} ${problem}`, { identifier: name });
}

/** Refuses what cannot be the id of a session. */
export function checkSessionId(id: string): Refusal | undefined {
  const problem = fault(id);
  return problem === undefined
    ? undefined
    : new Refusal("INVALID_NAME", `session id ${quoteName(id)} ${problem}`, {
        sessionId: id,
      });
}

/** An identifier taken apart: the name it leads to, and the id if it was one. */
export interface Identifier {
  readonly name: string;
  readonly id?: string;
}

/** Takes an identifier apart, or refuses one that is neither a name nor an id. */
export function parseIdentifier(identifier: string): Identifier | Refusal {
  const form = ID_FORM.exec(identifier);
  if (form === null) return checkName(identifier) ?? { name: identifier };
  const name = form[1] as string;
  const problem = checkName(name);
  return problem === undefined
    ? { name, id: identifier }
    : new Refusal("INVALID_NAME", problem.message, { identifier });
}

/** The id of the variable that a revision created under a name. */
export function variableId(name: string, createdAtRevision: number): string {
  return `var_${name}_${createdAtRevision}`;
}

/** The revision that created the variable with this id. */
export function creationOf(id: string): number {
  return Number(ID_FORM.exec(id)?.[2]);
}
