/** `snakepit-bridge set`: writes variables, all of them or none. */
import type { Command } from "commander";
import { createRequestIds } from "../../client/request-ids.js";
import type { Transport } from "../../client/transport/transport.js";
import type { ItemSet, SetItem, SetVariable } from "../../core/commands.js";
import { errorFrom } from "../../core/errors.js";
import { quoteName } from "../../core/names.js";
import { Refusal } from "../../core/refusal.js";
import type { TypeName } from "../../core/values/registry.js";
import { addAddress, typeOption, withTransport } from "../bridge.js";
import { readValue, showValue } from "../values.js";

interface SetOptions {
  readonly address?: string;
  readonly type?: TypeName;
  readonly strict?: boolean;
}

export function addSet(program: Command): void {
  const command = program
    .command("set")
    .summary("write variables")
    .description(
      "Sets variables in one commit, all of them or none. Without --type a value that looks like a number is one, true\n" +
        "and false are booleans, and all else is text. What does not exist is created, unless --strict.",
    )
    .argument("<session>", "id of the session")
    .argument("<name=value...>", "names or ids of variables, and their values")
    .addOption(typeOption("type of all the values"))
    .option("--strict", "fail if the session or a variable does not exist");
  addAddress(command).action(set);
}

async function set(session: string, assignments: string[], options: SetOptions): Promise<void> {
  const items = assignments.map((assignment) => readAssignment(assignment, options.type));
  const results = await withTransport(options.address, (transport) =>
    write(transport, items, {
      sessionId: session,
      onMissing: options.strict ? "fail" : "infer",
      metadata: [],
      source: "cli",
      requestId: createRequestIds()(),
    }),
  );
  for (const [place, result] of results.entries()) {
    if (result instanceof Refusal) throw errorFrom(result);
    const value = showValue(result.value);
    const name = items[place]?.identifier;
    process.stdout.write(`${name} = ${value} (${result.type}, version ${result.version})\n`);
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

function readAssignment(text: string, type: TypeName | undefined): SetItem {
  const end = text.indexOf("=");
  if (end === -1) throw new Error(`${JSON.stringify(text)} is not of the form name=value`);
  const identifier = text.slice(0, end);
  const value = readValue(text.slice(end + 1), type);
  if (typeof value === "string") throw new Error(`${quoteName(identifier)}: ${value}`);
  return { identifier, value };
}
