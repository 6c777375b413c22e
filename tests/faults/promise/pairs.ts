/** The session that all is about, and writes to it past whatever is on the way to the bridge. */
import type { KilledBridge } from "./bridge.js";

export const SESSION = "run";
/** So many writes are under way at once. */
const ABREAST = 50;

/** Begins the session: a pair that is always equal, and two sums. */
export function beginSession(bridge: KilledBridge): Promise<void> {
  return bridge.directly(async (client) => {
    await client.sessions.createSession(SESSION, { ttlMs: 0 });
    const session = await client.session(SESSION);
    await session.setMany({ a: "", b: "" });
    for (const name of ["counter", "total"]) await session.register(name, "integer", 0);
  });
}

/** Sets the pair so often, each time to so many bytes together. */
export function writePairs(bridge: KilledBridge, times: number, bytes: number): Promise<void> {
  return bridge.directly(async (client) => {
    const session = await client.session(SESSION);
    let left = times;
    const writeOn = async (): Promise<void> => {
      while (left-- > 0) {
        const text = `${left} `.padEnd(bytes / 2, "x");
        await session.setMany({ a: text, b: text });
      }
    };
    await Promise.all(Array.from({ length: ABREAST }, writeOn));
  });
}
