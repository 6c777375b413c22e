/** `snakepit-bridge watch`: what happens in a session, as it happens. */
import type { Command } from "commander";
import type { ChangeView, SessionEventView } from "../../client/index.js";
import { addAddress, withClient } from "../bridge.js";
import { showValue } from "../values.js";
import { eventToJson } from "../views.js";

interface WatchOptions {
  readonly address?: string;
  readonly glob?: string;
  readonly json?: boolean;
}

export function addWatch(program: Command): void {
  const command = program
    .command("watch")
    .summary("show what happens in a session")
    .description(
      "Shows what is set in a session from now on, a line for each change, until it is interrupted. The session need\n" +
        "not exist yet, and is not kept alive by this.",
    )
    .argument("<session>", "id of the session")
    .argument("[names...]", "only variables with these names")
    .option("--glob <glob>", "only variables whose names match");
  addAddress(command).option("--json", "print an object for each commit, on a line of its own").action(watch);
}

async function watch(session: string, names: readonly string[], options: WatchOptions): Promise<void> {
  const { address, glob, json = false } = options;
  await withClient(address, async (client) => {
    // A watch waits for a bridge. Who types a command wants to be told that there is none.
    await client.ping();
    const filter = { names, passive: true, ...(glob === undefined ? {} : { glob }) };
    for await (const event of client.sessions.watch(session, filter))
      process.stdout.write(json ? `${JSON.stringify(eventToJson(event))}\n` : show(event));
  });
}

function show(event: SessionEventView): string {
  const { at, revision, kind, source, changes } = event;
  const session = kind === "changed" ? [] : [`session ${kind}`];
  return [...session, ...changes.map(showChange)]
    .map((line) => `${at.toISOString()}  ${revision}  ${line} (${source})\n`)
    .join("");
}

function showChange({ name, value, version, previous }: ChangeView): string {
  if (version === undefined) return `${name} deleted`;
  const before = previous === undefined ? "" : `, was ${showValue(previous)}`;
  return `${name} = ${value === undefined ? "a value too long to be told" : showValue(value)}${before}`;
}
