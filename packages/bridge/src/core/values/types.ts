/**
 * The closed list of types, each with the arm that its values travel in. It stands apart from what judges values
 * (`registry.ts`), so that a client knows the types without bringing the pattern matcher along.
 */
import type { KnownLiteral, Stored } from "../literal.js";

type Arm = KnownLiteral["kind"];

const ARMS = {
  float: "float",
  integer: "integer",
  string: "string",
  boolean: "boolean",
  choice: "string",
  json: "json",
} as const satisfies Readonly<Record<string, Arm>>;

/** The name of a type. */
export type TypeName = keyof typeof ARMS;

export const TYPE_NAMES = Object.keys(ARMS) as readonly TypeName[];

/** True if this is the name of a type. */
export function isTypeName(name: string): name is TypeName {
  return Object.hasOwn(ARMS, name);
}

/** The arm that values of a type travel in; never `number`, which is for senders that do not know the type. */
export function armOf(type: TypeName): (typeof ARMS)[TypeName] {
  return ARMS[type];
}

/** What a variable of a type holds, as the literal that it travels as. */
export function literalOf(type: TypeName, value: Stored): KnownLiteral {
  return { kind: ARMS[type], value } as KnownLiteral;
}

const INFERRED: Readonly<Record<Arm, TypeName | undefined>> = {
  float: "float",
  number: "float",
  integer: "integer",
  string: "string",
  boolean: "boolean",
  json: undefined,
};

/** The type of a variable that a value creates (VAL-4); undefined if none is created from such a value. */
export function inferredFrom(arm: Arm): TypeName | undefined {
  return INFERRED[arm];
}
