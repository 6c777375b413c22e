/** `snakepit-bridge get`: reads variables, at one revision. */
import type { Command } from "commander";
import { VariableNotFoundError } from "../../client/index.js";
import { quoteName } from "../../core/names.js";
import { addAddress, withClient } from "../bridge.js";
import { plainValue, showValue } from "../values.js";
import { variableToJson } from "../views.js";

interface GetOptions {
  readonly address?: string;
  readonly json?: boolean;
}

export function addGet(program: Command): void {
  const command = program
    .command("get")
    .summary("read variables")
    .description(
      "Reads variables by name or id, all at one revision. One variable is printed as its value alone, several as\n" +
        "`name = value`, one each line, in the order asked for.",
    )
    .argument("<session>", "id of the session")
    .argument("<name...>", "names or ids of variables");
  addAddress(command)
    .option("--json", "print an object with all there is to know, by name or id")
    .action(get);
}

async function get(session: string, names: string[], { address, json = false }: GetOptions): Promise<void> {
  const { found, missing } = await withClient(address, ({ sessions }) =>
    sessions.getVariables(session, names),
  );
  if (missing.length > 0) {
    const list = missing.map(quoteName).join(", ");
    throw new VariableNotFoundError("VARIABLE_NOT_FOUND", `session ${quoteName(session)} has no ${list}`);
  }
  const variables = [...found];
  if (json) {
    const all = Object.fromEntries(variables.map(([name, variable]) => [name, variableToJson(variable)]));
    process.stdout.write(`${JSON.stringify(all, undefined, 2)}\n`);
  } else if (names.length === 1) {
    // A json value is printed as JSON, a text too, so that a program can read whatever it is.
    for (const [, { type, value }] of variables)
      process.stdout.write(`${type === "json" ? showValue(value) : plainValue(value)}\n`);
  } else {
    for (const [name, { value }] of variables) process.stdout.write(`${name} = ${showValue(value)}\n`);
  }
}
