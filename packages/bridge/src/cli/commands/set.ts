/** `snakepit-bridge set`: writes variables, all of them or none. */
import type { Command } from "commander";
import { createRequestIds } from "../../client/request-ids.js";
import type { Transport } from "../../client/transport/transport.js";
import { fromStored } from "../../client/values.js";
import type { ItemSet, SetItem, SetVariable } from "../../core/commands.js";
import { errorFrom, SessionNotFoundError } from "../../core/errors.js";
import { quoteName } from "../../core/names.js";
import { Refusal } from "../../core/refusal.js";
import { armOf, TYPE_NAMES, type TypeName } from "../../core/values/types.js";
import { addAddress, typeOption, withTransport } from "../bridge.js";
import { readValue, showValue } from "../values.js";

interface SetOptions {
  readonly address?: string;
  readonly type?: TypeName;
  readonly strict?: boolean;
}

/** What a value can be said to be. A choice is not among them: its values are strings. */
const VALUE_TYPES = TYPE_NAMES.filter((type) => armOf(type) === type);

export function addSet(program: Command): void {
  const command = program
    .command("set")
    .summary("write variables")
    .description(
      "Sets variables in one commit, all of them or none. Without --type a value is read as the type that its variable\n" +
        "was registered with; for any other variable what looks like a number is one, true and false are booleans, and\n" +
        "all else is text. What does not exist is created, unless --strict.",
    )
    .argument("<session>", "id of the session")
    .argument("<name=value...>", "names or ids of variables, and their values")
    .addOption(typeOption("type of all the values", VALUE_TYPES))
    .option("--strict", "fail if the session or a variable does not exist");
  addAddress(command).action(set);
}

async function set(session: string, assignments: string[], options: SetOptions): Promise<void> {
  const pairs = assignments.map(splitAssignment);
  const names = pairs.map(([name]) => name);
  const results = await withTransport(options.address, async (transport) => {
    const types = options.type === undefined ? await typesOf(transport, session, names) : new Map();
    const items = pairs.map(([name, text]) => readItem(name, text, options.type ?? types.get(name)));
    return write(transport, items, {
      sessionId: session,
      onMissing: options.strict ? "fail" : "infer",
      metadata: [],
      source: "cli",
      requestId: createRequestIds()(),
    });
  });
  for (const [place, result] of results.entries()) {
    if (result instanceof Refusal) throw errorFrom(result);
    const { type, version } = result;
    const value = showValue(fromStored(type, result.value));
    process.stdout.write(`${names[place]} = ${value} (${type}, version ${version})\n`);
  }
}

/** The types of those of the variables that were registered. A type that was only inferred may still change. */
async function typesOf(
  transport: Transport,
  sessionId: string,
  identifiers: readonly string[],
): Promise<ReadonlyMap<string, TypeName>> {
  try {
    const { found } = await transport.call({ kind: "getVariables", sessionId, identifiers });
    const registered = found.filter(({ variable }) => !variable.provisional);
    return new Map(registered.map(({ identifier, variable }) => [identifier, variable.type]));
  } catch (error) {
    if (error instanceof SessionNotFoundError) return new Map();
    throw error;
  }
}

/** One assignment is a set of its own, so that its refusal reads as what it is and not as that of a batch. */
async function write(
  transport: Transport,
  items: readonly SetItem[],
  about: Omit<SetVariable, "kind" | "item">,
): Promise<readonly (ItemSet | Refusal)[]> {
  const [item, ...more] = items;
  if (item !== undefined && more.length === 0) {
    return [(await transport.call({ kind: "setVariable", item, ...about })).item];
  }
  return (await transport.call({ kind: "setVariables", items, atomic: true, ...about })).results;
}

function splitAssignment(text: string): readonly [name: string, value: string] {
  const end = text.indexOf("=");
  if (end === -1) throw new Error(`${JSON.stringify(text)} is not of the form name=value`);
  return [text.slice(0, end), text.slice(end + 1)];
}

function readItem(identifier: string, text: string, type: TypeName | undefined): SetItem {
  const value = readValue(text, type);
  if (typeof value === "string") throw new Error(`${quoteName(identifier)}: ${value}`);
  return { identifier, value };
}
