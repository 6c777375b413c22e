/** `snakepit-bridge history`: what a variable was. */
import { type Command, InvalidArgumentError } from "commander";
import type { HistoryView } from "../../client/index.js";
import { addAddress, withClient } from "../bridge.js";
import { table } from "../table.js";
import { showValue } from "../values.js";
import { historyToJson } from "../views.js";

interface HistoryOptions {
  readonly address?: string;
  readonly limit?: number;
  readonly json?: boolean;
}

export function addHistory(program: Command): void {
  const command = program
    .command("history")
    .summary("show what a variable was")
    .description(
      "Shows the values that a variable had, newest first, the current one included: as many as are kept, which is\n" +
        "the newest 50 and at most 1 MiB of them.",
    )
    .argument("<session>", "id of the session")
    .argument("<name>", "name or id of the variable")
    .option("--limit <count>", "only the newest so many", wholeNumber);
  addAddress(command).option("--json", "print an object with all there is to know").action(history);
}

async function history(session: string, name: string, options: HistoryOptions): Promise<void> {
  const { address, limit, json = false } = options;
  const view = await withClient(address, ({ sessions }) =>
    sessions.getVariableHistory(session, name, limit === undefined ? {} : { limit }),
  );
  process.stdout.write(json ? `${JSON.stringify(historyToJson(view), undefined, 2)}\n` : show(view));
}

function show({ entries, compacted }: HistoryView): string {
  const lines = table(
    ["VERSION", "TYPE", "VALUE", "REVISION", "SOURCE", "SET"],
    entries.map(({ version, type, value, revision, source, setAt }) => [
      String(version),
      type,
      showValue(value),
      String(revision),
      source,
      setAt.toISOString(),
    ]),
  );
  return compacted ? `${lines}older values are no longer kept\n` : lines;
}

function wholeNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It has to be a whole number from 1 on.");
}
