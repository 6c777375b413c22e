/**
 * The classes of typed sessions: for type checkers, what each method takes and gives for each name. What runs is the
 * context itself, so there is nothing in them but signatures.
 */
import { type Group, isNumeric } from "./values.js";

/** One of the two clients. */
interface Client {
  readonly name: string;
  readonly about: string;
  readonly def: string;
  /** The type of a function that makes a new value of a value. */
  readonly compute: string;
}

const CLIENTS: readonly Client[] = [
  { name: "Session", about: "for asyncio", def: "async def", compute: "AsyncCompute" },
  { name: "SyncSession", about: "blocking", def: "def", compute: "Compute" },
];

/** Both classes. */
export function sessionClasses(groups: readonly Group[]): string {
  return CLIENTS.map((client) => sessionClass(client, groups)).join("\n\n");
}

function sessionClass({ name, about, def, compute }: Client, groups: readonly Group[]): string {
  const method = (of: readonly Group[], signature: (group: Group) => string, begin = def): string => {
    const decorator = of.length > 1 ? "    @overload\n" : "";
    return of.map((group) => `${decorator}    ${begin} ${signature(group)}: ...\n`).join("");
  };
  const methods = [
    method(
      groups,
      ({ names, value }) => `get_variable(self, name: ${names}, **options: Unpack[Get]) -> ${value}`,
    ),
    // It never waits.
    method(groups, ({ names, value }) => `peek(self, name: ${names}) -> ${value}`, "def"),
    method(
      groups,
      ({ names, value }) =>
        `set_variable(self, name: ${names}, value: ${value}, **options: Unpack[Set]) -> Written`,
    ),
    method(
      groups.filter(isNumeric),
      ({ names, value }) =>
        `increment(self, name: ${names}, by: ${value} = 1, **options: Unpack[Write]) -> ${value}`,
    ),
    method(
      groups,
      ({ names, value }) =>
        `update_variable(self, name: ${names}, fn: ${compute}[${value}], **options: Unpack[Write]) -> Written`,
    ),
    method(
      groups,
      ({ names, value }) =>
        `wait_for(self, name: ${names}, predicate: Predicate[${value}] = None, **options: Unpack[Wait]) -> ${value}`,
    ),
  ];
  const head = `class ${name}(typed.${name}[Name, Updates], Protocol):\n    """A session with these variables, ${about}."""\n`;
  return [head, ...methods.filter((text) => text !== "")].join("\n");
}
