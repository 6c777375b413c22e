/** The engine alone, in process: what a command costs without any wire. */
import { randomBytes } from "node:crypto";
import type { Command } from "../../packages/bridge/dist/core/commands.js";
import { DEFAULT_LIMITS } from "../../packages/bridge/dist/core/limits.js";
import type { Commit } from "../../packages/bridge/dist/core/session/commit.js";
import { Engine } from "../../packages/bridge/dist/engine/engine.js";
import { systemClock } from "../../packages/bridge/dist/engine/system-clock.js";
import { MemoryStore } from "../../packages/bridge/dist/storage/memory/memory-store.js";
import { type CommitRecord, RecordMaker } from "../../packages/bridge/dist/storage/record.js";
import { closedLoop, type Load } from "./closed-loop.js";
import { createSession, dispatch, getVariable, registerVariable, setVariable } from "./engine-commands.js";
import { answerQuestions } from "./question-loop.js";

/** A call is shorter than the clock can tell, so this many are timed together. */
const STEP = 100;

/** The memory store; it also tells which commit it was given last. */
class TellingStore extends MemoryStore {
  lastCommit: Commit | undefined;

  override append(records: readonly CommitRecord[]): undefined {
    this.lastCommit = records.at(-1)?.commit;
    super.append(records);
  }
}

const store = new TellingStore();
const engine = new Engine({
  store,
  clock: systemClock,
  limits: DEFAULT_LIMITS,
  defaultTtlMs: 3_600_000,
  newIncarnation: () => randomBytes(16).toString("hex"),
  version: "bench",
});

const carryOut = (command: Command) => dispatch(engine, command);

await carryOut(createSession());
await carryOut(registerVariable());
await carryOut(setVariable());
const commitOfSet = store.lastCommit as Commit;
const records = new RecordMaker();
let check = 0n;

const works: Record<string, () => Promise<void>> = {
  async get() {
    for (let i = 0; i < STEP; i++) await carryOut(getVariable());
  },
  async set() {
    for (let i = 0; i < STEP; i++) await carryOut(setVariable());
  },
  async record() {
    for (let i = 0; i < STEP; i++) check = records.make(commitOfSet, check).check;
  },
};

await answerQuestions<Load>((load) => {
  const work = works[load.work];
  if (work === undefined) throw new Error(`there is no work ${load.work}`);
  return closedLoop(work, load, STEP);
});
