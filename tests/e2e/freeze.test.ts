/**
 * A process that stands still holds up nobody else, and misses nothing: what waits for it is bounded, and it is told the rest
 * when it goes on. `npm run bench -- --only freeze` says what it costs.
 */
import { fileURLToPath } from "node:url";
import { type Bridge, type ChangeView, type SessionEventView, startBridge } from "snakepit-bridge";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { shownOf } from "../../packages/bridge/src/testing/watch-forms.contract.js";
import type { OpenReading } from "../../packages/bridge/src/testing/watch-readings.contract.js";
import { noteWatch, witnessWatches } from "../witness.js";
import { endAll, TestProcess } from "./processes.js";

const program = fileURLToPath(new URL("./frozen-reader.ts", import.meta.url));

/** More than may wait for a watch (1,000), and less than that together with what the bridge keeps for those who come back. */
const COMMITS = 1_500;
/** So long that what waits on the way, beyond the watch itself, is few commits. Each has another length. */
const textOf = (step: number) => "x".repeat(2_000 + step);
const WATCHERS = 3;

interface Told extends Omit<SessionEventView, "at" | "metadata"> {
  readonly watcher: number;
  readonly at: number;
  readonly metadata: readonly (readonly [string, string])[];
}

witnessWatches();

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
  #witnessed: readonly OpenReading[] = [];
  #read = 0;

  constructor() {
    const args = ["--import", "tsx", program, bridge.address, "run", String(WATCHERS)];
    this.process = new TestProcess(process.execPath, args);
  }

  /** Its watches stand. */
  async stands(): Promise<void> {
    await this.process.until(/ready/);
    this.#witnessed = this.told.map(() => noteWatch({ sessionId: "run", names: [], passive: false }));
    for (const witnessed of this.#witnessed) witnessed.step({});
  }

  /** It may have been told some commits later. */
  wasCut(): void {
    for (const witnessed of this.#witnessed) witnessed.wasCut = true;
  }

  /** What each watcher has been told by now, read from the lines that have come. */
  counts(): number[] {
    const { stdout } = this.process;
    const end = stdout.lastIndexOf("\n") + 1;
    for (const line of stdout.slice(this.#read, end).split("\n")) {
      if (!line.startsWith("{")) continue;
      const told = JSON.parse(line) as Told;
      this.told[told.watcher]?.push(told);
      this.#witnessed[told.watcher]?.step({ event: shownOf(viewOf(told)) });
    }
    this.#read = end;
    return this.told.map(({ length }) => length);
  }

  /** Waits until each watcher has been told so many commits. */
  async has(commits: number): Promise<void> {
    const all = Array.from({ length: WATCHERS }, () => commits);
    await vi.waitFor(() => expect(this.counts()).toEqual(all), { timeout: 50_000, interval: 20 });
  }
}

test.skipIf(process.platform === "win32")(
  "a process that is frozen holds up no other, and is told everything once and in order when it goes on [ORD-6 accepts]",
  async () => {
    const session = await bridge.session("run");
    await session.setMany({ step: 0, text: textOf(0) });
    const [frozen, ...others] = [new Reader(), new Reader(), new Reader()];
    await Promise.all([frozen, ...others].map((reader) => reader?.stands()));
    const first = (await session.info()).revision + 1;
    frozen?.wasCut();
    frozen?.process.signal("SIGSTOP");
    for (let step = 1; step <= COMMITS; step++) {
      await session.setMany({ step, text: textOf(step) });
      // The others keep up, whoever stands still.
      if (step % 100 === 0) await Promise.all(others.map((reader) => reader.has(step)));
    }
    // It has printed nothing since, and did not get far before.
    expect(Math.max(...(frozen?.counts() ?? []))).toBeLessThan(COMMITS);
    frozen?.process.signal("SIGCONT");
    await frozen?.has(COMMITS);
    for (const reader of [frozen, ...others]) for (const told of reader?.told ?? []) check(told, first);
    // More waited for the frozen one than may: it was told the rest when it came back, where what was before is not known.
    const cameBack = (reader: Reader | undefined) =>
      reader?.told.map((told) =>
        told.some(({ changes }) => changes.some((change) => !("previous" in change))),
      );
    expect(cameBack(frozen)).toEqual(Array.from({ length: WATCHERS }, () => true));
    for (const reader of others)
      expect(cameBack(reader)).toEqual(Array.from({ length: WATCHERS }, () => false));
  },
);

/** The event that a line stands for. */
function viewOf({ watcher: _, at, metadata, changes, ...event }: Told): SessionEventView {
  const long = (value: ChangeView["value"]) => (typeof value === "number" ? "x".repeat(value) : value);
  const whole = (change: ChangeView): ChangeView =>
    change.name === "text"
      ? { ...change, value: long(change.value), previous: long(change.previous) }
      : change;
  return { ...event, at: new Date(at), metadata: new Map(metadata), changes: changes.map(whole) };
}

/** Every commit once, in order and whole. What was before may be unknown to one who came back, and is never wrong. */
function check(told: readonly Told[], first: number): void {
  for (const [i, { revision, source, changes }] of told.entries()) {
    const step = i + 1;
    const expected = [
      { name: "step", previous: i, value: step },
      { name: "text", previous: textOf(i).length, value: textOf(step).length },
    ].map(({ previous, ...change }, place) => ({
      ...change,
      ...("previous" in (changes[place] ?? {}) ? { previous } : {}),
      version: step + 1,
      previousVersion: step,
    }));
    expect({ revision, source, changes }).toEqual({
      revision: first + i,
      source: "typescript",
      changes: expected,
    });
  }
}
