/**
 * What `--once` tests last: a bridge that is started again has everything that the one before it had, and one that is
 * killed in the middle of its work loses nothing that it had acknowledged.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Client, connect, type VariableView } from "../client/index.js";
import { type Check, checked } from "./checks.js";
import { type View, variable } from "./observer.js";
import { testVariables } from "./variables.js";

const program = fileURLToPath(new URL("../../bin/snakepit-bridge.js", import.meta.url));
const WRITERS = 4;
/** The bridge is killed when it has acknowledged so many. */
const ACKNOWLEDGED = 200;

/** A server that is started again and again. */
type WithServer = <T>(work: (client: Client, server: ChildProcess) => Promise<T>) => Promise<T>;

/** Runs both checks on the file of a bridge that has ended; `before` is what was last seen there. */
export async function checkRestarts(
  file: string,
  sessionId: string,
  before: View,
  signal: AbortSignal,
): Promise<Check[]> {
  const withServer: WithServer = (work) => runServer(file, signal, work);
  return [
    await checked("everything is there after a restart", () => comesBack(withServer, sessionId, before)),
    await checked("kill -9 loses nothing acknowledged", () => survivesKill(withServer, sessionId)),
  ];
}

async function comesBack(withServer: WithServer, sessionId: string, before: View) {
  return withServer(async (client) => {
    const names = [...before.variables.keys()];
    const { found, revision } = await client.sessions.getVariables(sessionId, names);
    const now: View = { variables: found, revision, at: new Date() };
    if (revision !== before.revision)
      throw new Error(`it is at revision ${revision}, and was at ${before.revision}`);
    for (const name of names) {
      const [is, was] = [now, before].map((view) => told(variable(view, name)));
      if (is !== was) throw new Error(`${name} is ${is}, and was ${was}`);
    }
    return { detail: `${names.length} variables at revision ${revision}, with their versions` };
  });
}

function told({ value, version, source }: VariableView): string {
  return `${value} (version ${version}, from ${source})`;
}

/** Kills a bridge while several writers add to one number, and looks what became of it. */
async function survivesKill(withServer: WithServer, sessionId: string) {
  const before = await withServer(async (client, server) => {
    const session = await client.session(sessionId, testVariables);
    const start = await session.get("pong");
    let acknowledged = start;
    // Otherwise the writers would try for a while to reach a bridge again.
    const gone = new AbortController();
    server.once("exit", () => gone.abort());
    const write = async (): Promise<void> => {
      for (;;) {
        const { value } = await session.increment("pong", 1, { signal: gone.signal });
        acknowledged = Math.max(acknowledged, value);
        if (acknowledged - start >= ACKNOWLEDGED) server.kill("SIGKILL");
      }
    };
    await Promise.allSettled(Array.from({ length: WRITERS }, write));
    return { start, acknowledged };
  });
  const kept = await withServer(async (client) => (await client.session(sessionId)).get("pong"));
  const least = before.acknowledged;
  if (typeof kept !== "number" || kept < least || kept > least + WRITERS)
    throw new Error(`${least} was acknowledged, ${kept} is there`);
  return { detail: `${least - before.start} writes acknowledged, ${kept - before.start} kept` };
}

/** Does something with a bridge in a process of its own, and ends it. */
async function runServer<T>(
  file: string,
  signal: AbortSignal,
  work: (client: Client, server: ChildProcess) => Promise<T>,
): Promise<T> {
  const args = ["serve", "--port", "0", "--store", `sqlite:${file}`, "--log-level", "error"];
  const server = spawn(process.execPath, [program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
    signal,
  });
  const ended = once(server, "close").catch(() => []);
  try {
    const lines = createInterface(server.stdout);
    const [line] = await Promise.race([once(lines, "line"), ended]);
    const address = / on (\S+)/.exec(String(line))?.[1];
    if (address === undefined) throw new Error("the bridge did not start");
    const client = connect(address);
    try {
      return await work(client, server);
    } finally {
      await client.close();
    }
  } finally {
    server.kill();
    await ended;
  }
}
