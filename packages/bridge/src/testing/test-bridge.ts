/** A bridge for the tests of a program: in this process, in memory, on a port of its own, silent. */
import { type Bridge, type EngineSettings, startBridge } from "../server.js";
import type { ManualClock } from "./manual-clock.js";

/** What a test bridge may be given. */
export interface TestBridgeOptions extends Pick<EngineSettings, "limits" | "defaultTtlMs"> {
  /**
   * A clock that the test moves: sessions expire when it says so, and whatever waits in this process (`waitFor`, a call's
   * timeout) waits for it too. Default: the machine's clock.
   */
  readonly clock?: ManualClock;
}

/**
 * Starts a bridge for a test. It is the real one: the same rules, errors and doors; only its store forgets everything when
 * it closes. Python workers reach it at its `address`, this process by `bridge.session(…)` without a connection.
 *
 * @example
 * const clock = new ManualClock();
 * await using bridge = await startTestBridge({ clock });
 * const session = await bridge.session("s", undefined, { ttlMs: 60_000 });
 * clock.advance(60_000); // the session has expired
 */
export async function startTestBridge(options: TestBridgeOptions = {}): Promise<Bridge & AsyncDisposable> {
  const { clock, ...settings } = options;
  const bridge = await startBridge({
    ...settings,
    ...(clock === undefined ? {} : { clock }),
    store: "memory",
    port: 0,
    logger: "silent",
  });
  return { ...bridge, [Symbol.asyncDispose]: () => bridge.close() };
}
