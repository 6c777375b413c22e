/**
 * How much memory a server needs: its heap and its buffers after a collection. What is resident would not tell, as it keeps
 * what was once used, and says of a second time what it said of the first.
 */
import { fileURLToPath } from "node:url";
import type { Child } from "./child.js";

const probe = fileURLToPath(new URL("./memory-probe.mjs", import.meta.url));

/** What Node has to be told so that a server can be asked. */
export const PROBED: readonly string[] = ["--expose-gc", "--import", probe];

/** What a server that was started so has in use, in MiB. It must say nothing else meanwhile. */
export async function inUseMiB(server: Child): Promise<number> {
  server.signal("SIGUSR2");
  const bytes = /^in use: (\d+)$/.exec(await server.line())?.[1];
  if (bytes === undefined) throw new Error(`${server.label} does not say what it has in use`);
  return Number(bytes) / 1_048_576;
}
