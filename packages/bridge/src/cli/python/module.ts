/** The Python module for a set of definitions: a dataclass of their values, their names, and sessions that know them. */
import type { KnownLiteral } from "../../core/literal.js";
import type { DefinedVariable } from "../defined.js";
import { fingerprintOf } from "../fingerprint.js";
import { type NamedVariable, namedInPython } from "./names.js";
import { sessionClasses } from "./sessions.js";
import { bracketed, docstring, floatLiteral, stringLiteral } from "./text.js";
import { type Group, grouped, isNumeric, nameType, valueType } from "./values.js";

/** How every module begins: by this the command knows its own. */
export const MARK = "# Made by `snakepit-bridge types`";

/**
 * The text of the module; the same for the same variables and source. Refuses variables that would be called the same.
 *
 * @param source what the variables were read from, for people: `variables.js`, or `session "run-42"`
 */
export function pythonModule(defined: readonly DefinedVariable[], source: string): string {
  const variables = namedInPython(defined);
  const groups = grouped(variables);
  const parts = [
    `${MARK} from ${source}. Do not edit it: run the command again.\n# fmt: off\n# ruff: noqa\n${imports(groups)}`,
    names(groups),
    updates(variables),
    definitions(variables),
    dataclass(variables),
    sessionClasses(groups),
  ];
  return parts.join("\n\n");
}

function imports(groups: readonly Group[]): string {
  const overload = groups.length > 1 ? ", overload" : "";
  const value = groups.some(({ type }) => type === "json") ? "Value, " : "";
  return `
from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypedDict${overload}

from snakepit_bridge import ${value}Written, typed
from snakepit_bridge.typed import Definition, Definitions, Variables

if TYPE_CHECKING:
    from snakepit_bridge.typed import AsyncCompute, Compute, Get, Predicate, Set, Unpack, Wait, Write
`;
}

function names(groups: readonly Group[]): string {
  const aliases = groups.map(({ type, value, variables }) =>
    type === "choice" ? literal(value, choicesOf(variables)) : literal(nameType(type), namesOf(variables)),
  );
  const all = groups.map(({ type, names, variables }) => (type === "choice" ? namesOf(variables) : [names]));
  const numeric = groups.filter(isNumeric).map(({ names }) => names);
  return [
    ...aliases,
    literal("Name", all.flat()),
    ...(numeric.length === 0 ? [] : [literal("NumericName", numeric)]),
  ].join("");
}

function literal(alias: string, items: readonly string[]): string {
  return bracketed(`${alias} = Literal[`, items, "]");
}

function namesOf(variables: readonly NamedVariable[]): string[] {
  return variables.map(({ name }) => stringLiteral(name));
}

function choicesOf(variables: readonly NamedVariable[]): string[] {
  return variables.flatMap(({ constraints }) => constraints.flatMap(({ values }) => values.map(literalOf)));
}

/** What can be set at once. Not as a class, because a name need not be an identifier. */
function updates(variables: readonly NamedVariable[]): string {
  const items = variables.map(
    (variable) => `        ${stringLiteral(variable.name)}: ${valueType(variable)},\n`,
  );
  return `Updates = TypedDict(\n    "Updates",\n    {\n${items.join("")}    },\n    total=False,\n)\n`;
}

function definitions(variables: readonly NamedVariable[]): string {
  const items = variables.map(({ name, type, constraints }) => {
    const limits = constraints.map(({ key, values }) => `${stringLiteral(key)}: ${operands(key, values)}`);
    const given = limits.length === 0 ? "" : `, {${limits.join(", ")}}`;
    return `        ${stringLiteral(name)}: Definition(${stringLiteral(type)}${given}),\n`;
  });
  const fingerprint = stringLiteral(fingerprintOf(variables));
  return `DEFINITIONS = Definitions(\n    fingerprint=${fingerprint},\n    variables={\n${items.join("")}    },\n)\n`;
}

function operands(key: string, values: readonly KnownLiteral[]): string {
  const literals = values.map(literalOf);
  return key === "choices" ? `[${literals.join(", ")}]` : literals.join(", ");
}

function literalOf({ kind, value }: KnownLiteral): string {
  if (kind === "float") return floatLiteral(value);
  return typeof value === "string" ? stringLiteral(value) : String(value);
}

function dataclass(variables: readonly NamedVariable[]): string {
  const fields = variables.map((variable) => {
    const { attribute, description = "" } = variable;
    return `    ${attribute}: ${valueType(variable)}\n${description.trim() === "" ? "" : docstring(description)}`;
  });
  return `@dataclass(frozen=True)
class Params(Variables["Session", "SyncSession"]):
    """The values of all variables; \`session.get_all(Params)\` reads them at one revision.

    \`session = context.typed(Params)\` gives a session that knows their names and types.
    """

    __definitions__ = DEFINITIONS

${fields.join("")}`;
}
