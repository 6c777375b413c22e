/**
 * A process that stands still holds up nobody else, and misses nothing: what waits for it is bounded, and it is told the rest
 * when it goes on. `npm run bench -- --only freeze` says what it costs.
 */
import { fileURLToPath } from "node:url";
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { endAll, TestProcess } from "./processes.js";

const program = fileURLToPath(new URL("./frozen-reader.ts", import.meta.url));

/** More than may wait for a watch (1,000), and less than that together with what the bridge keeps for those who come back. */
const COMMITS = 1_500;
const WATCHERS = 3;

interface Told {
  readonly watcher: number;
  readonly revision: number;
  readonly source: string;
  readonly changes: readonly object[];
}

let bridge: Bridge;
beforeEach(async () => {
  bridge = await startBridge({ port: 0, logger: "silent" });
});
afterEach(async () => {
  await endAll();
  await bridge.close();
});

/** A process with watchers, and what each of them was told so far. */
class Reader {
  readonly process: TestProcess;
  readonly told: readonly Told[][] = Array.from({ length: WATCHERS }, () => []);
  #read = 0;

  constructor() {
    const args = ["--import", "tsx", program, bridge.address, "run", String(WATCHERS)];
    this.process = new TestProcess(process.execPath, args);
  }

  /** What each watcher has been told by now, read from the lines that have come. */
  counts(): number[] {
    const { stdout } = this.process;
    const end = stdout.lastIndexOf("\n") + 1;
    for (const line of stdout.slice(this.#read, end).split("\n")) {
      if (!line.startsWith("{")) continue;
      const told = JSON.parse(line) as Told;
      this.told[told.watcher]?.push(told);
    }
    this.#read = end;
    return this.told.map(({ length }) => length);
  }

  async hasAll(): Promise<void> {
    const all = Array.from({ length: WATCHERS }, () => COMMITS);
    await vi.waitFor(() => expect(this.counts()).toEqual(all), { timeout: 50_000, interval: 20 });
  }
}

test.skipIf(process.platform === "win32")(
  "a process that is frozen holds up no other, and is told everything once and in order when it goes on [ORD-6 accepts]",
  async () => {
    const session = await bridge.session("run");
    await session.setMany({ step: 0, double: 0 });
    const [frozen, ...others] = [new Reader(), new Reader(), new Reader()];
    await Promise.all([frozen, ...others].map((reader) => reader?.process.until(/ready/)));
    const first = (await session.info()).revision + 1;
    frozen?.process.signal("SIGSTOP");
    for (let step = 1; step <= COMMITS; step++) await session.setMany({ step, double: 2 * step });
    await Promise.all(others.map((reader) => reader.hasAll()));
    // It has printed nothing since, and did not get far before.
    expect(Math.max(...(frozen?.counts() ?? []))).toBeLessThan(COMMITS);
    frozen?.process.signal("SIGCONT");
    await frozen?.hasAll();
    for (const reader of [frozen, ...others]) for (const told of reader?.told ?? []) check(told, first);
  },
);

/** Every commit once, in order and whole. What was before is known of each but those that a reader came back for. */
function check(told: readonly Told[], first: number): void {
  for (const [i, { revision, source, changes }] of told.entries()) {
    const change = (name: string, value: number, previous: number) =>
      expect.objectContaining({
        name,
        value,
        version: i + 2,
        previousVersion: i + 1,
        ...("previous" in (changes.find((one) => "name" in one && one.name === name) ?? {})
          ? { previous }
          : {}),
      });
    const step = i + 1;
    expect({ revision, source, changes }).toEqual({
      revision: first + i,
      source: "typescript",
      changes: [change("step", step, i), change("double", 2 * step, 2 * i)],
    });
  }
}
