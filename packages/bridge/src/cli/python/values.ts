/** The types of values in Python, and the variables that share one. */
import type { TypeName } from "../../core/values/types.js";
import type { NamedVariable } from "./names.js";
import { stringLiteral } from "./text.js";

const PLAIN: Readonly<Record<Exclude<TypeName, "choice">, string>> = {
  float: "float",
  integer: "int",
  string: "str",
  boolean: "bool",
  json: "Value",
};

/** Variables whose values have one type, so that one signature does for all of them. */
export interface Group {
  readonly type: TypeName;
  /** The type of their values. */
  readonly value: string;
  /** The type of their names. */
  readonly names: string;
  readonly variables: readonly NamedVariable[];
}

/** The type of a variable's values. */
export function valueType({ type, choice }: NamedVariable): string {
  return choice ?? PLAIN[type as keyof typeof PLAIN];
}

/** The groups, in the order of their first variables; each choice is one by itself. */
export function grouped(variables: readonly NamedVariable[]): Group[] {
  return [...new Set(variables.map(valueType))].map((value) => {
    const members = variables.filter((variable) => valueType(variable) === value);
    const { type, name } = members[0] as NamedVariable;
    const names = type === "choice" ? `Literal[${stringLiteral(name)}]` : nameType(type);
    return { type, value, names, variables: members };
  });
}

/** `FloatName` is the type of the names of floats. */
export function nameType(type: TypeName): string {
  return `${type.charAt(0).toUpperCase()}${type.slice(1)}Name`;
}

/** True if variables of the type can be counted with. */
export function isNumeric({ type }: Pick<Group, "type">): boolean {
  return type === "float" || type === "integer";
}
