/**
 * Constraints as they are given and kept: a list of keys with operands. What a key means is the business of the type
 * it limits (`values/`); here is what all types share.
 */
import type { KnownLiteral, Literal } from "./literal.js";
import { quoteName } from "./names.js";
import { Refusal } from "./refusal.js";
import { compareUtf8 } from "./text.js";

/** One limit: its key and its operands. */
export interface Constraint<L extends Literal = KnownLiteral> {
  readonly key: string;
  readonly values: readonly L[];
}

/** A limit as a caller gives it, not checked yet. */
export type GivenConstraint = Constraint<Literal>;

/** Answers whether a value is within the limits; a refusal says which one it breaks. */
export type Check<V> = (value: V) => Refusal | undefined;

/** Constraints that were found good: the list for readers, and the check made from it. */
export interface Limits<V> {
  /** Ordered by key, operands in the arm of the type. */
  readonly constraints: readonly Constraint[];
  readonly check: Check<V>;
}

/** Reads the operands of a constraint, or refuses them. */
export type OperandsReader = (operands: readonly Literal[], key: string) => readonly KnownLiteral[] | Refusal;

/** Reads the operand of a constraint that has exactly one, or refuses it. */
export type OperandReader = (literal: Literal, key: string) => KnownLiteral | Refusal;

/** Reads a constraint that has exactly one operand. */
export function one(reader: OperandReader): OperandsReader {
  return (operands, key) => {
    const [operand, ...more] = operands;
    if (operand === undefined || more.length > 0) {
      return invalidConstraint(key, `${key} takes one operand, not ${operands.length}`);
    }
    const value = reader(operand, key);
    return value instanceof Refusal ? value : [value];
  };
}

/** Orders constraints by key, with the operands read by the reader of the key; refuses the first that has no meaning. */
export function readConstraints(
  type: string,
  given: readonly GivenConstraint[],
  readers: Readonly<Record<string, OperandsReader>>,
): Map<string, Constraint> | Refusal {
  const read = new Map<string, Constraint>();
  for (const { key, values } of [...given].sort((a, b) => compareUtf8(a.key, b.key))) {
    const reader = Object.hasOwn(readers, key) ? readers[key] : undefined;
    if (reader === undefined)
      return invalidConstraint(key, `${quoteName(key)} does not apply to type ${type}`);
    if (read.has(key)) return invalidConstraint(key, `${key} stands twice`);
    const operands = reader(values, key);
    if (operands instanceof Refusal) return operands;
    read.set(key, { key, values: operands });
  }
  return read;
}

/** The limits of a type that takes no constraints. */
export function unlimited(type: string, given: readonly GivenConstraint[]): Limits<unknown> | Refusal {
  const read = readConstraints(type, given, {});
  return read instanceof Refusal ? read : { constraints: [], check: () => undefined };
}

/** The operand of a constraint that has exactly one and has been read; undefined if the constraint is not given. */
export function operand<K extends KnownLiteral["kind"]>(
  read: ReadonlyMap<string, Constraint>,
  key: string,
  kind: K,
): KindValues[K] | undefined {
  const literal = read.get(key)?.values[0];
  return literal?.kind === kind ? (literal.value as KindValues[K]) : undefined;
}

type KindValues = { [L in KnownLiteral as L["kind"]]: L["value"] };

/** Refuses a definition for one of its constraints. */
export function invalidConstraint(key: string, problem: string): Refusal {
  return new Refusal("INVALID_CONSTRAINT", problem, { constraint: key });
}

/** Refuses a value for one of the variable's constraints. */
export function violated(key: string, text: string): Refusal {
  return new Refusal("CONSTRAINT_VIOLATED", text, { constraint: key });
}

/** True if two lists of good constraints are the same. */
export function sameConstraints(a: readonly Constraint[], b: readonly Constraint[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, values }, i) => {
      const other = b[i];
      return other !== undefined && other.key === key && sameLiterals(values, other.values);
    })
  );
}

function sameLiterals(a: readonly KnownLiteral[], b: readonly KnownLiteral[]): boolean {
  return a.length === b.length && a.every((x, i) => x.kind === b[i]?.kind && Object.is(x.value, b[i]?.value));
}
