/** The engine alone, in process: what a command costs without any wire. */
import { randomBytes } from "node:crypto";
import type { Command } from "../../packages/bridge/dist/core/commands.js";
import { DEFAULT_LIMITS } from "../../packages/bridge/dist/core/limits.js";
import { Refusal } from "../../packages/bridge/dist/core/refusal.js";
import type { Commit } from "../../packages/bridge/dist/core/session/commit.js";
import { Engine } from "../../packages/bridge/dist/engine/engine.js";
import { ANYONE } from "../../packages/bridge/dist/engine/principal.js";
import { systemClock } from "../../packages/bridge/dist/engine/system-clock.js";
import { MemoryStore } from "../../packages/bridge/dist/storage/memory/memory-store.js";
import { type CommitRecord, RecordMaker } from "../../packages/bridge/dist/storage/record.js";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { MAX, METADATA, MIN, nextValue, SESSION, VARIABLE } from "./workload.js";

/** A call is shorter than the clock can tell, so this many are timed together. */
const STEP = 100;
const SOURCE = "typescript";

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

async function dispatch(command: Command): Promise<void> {
  const answer = await engine.dispatch(ANYONE, command);
  if (answer instanceof Refusal) throw new Error(answer.message);
}

await dispatch({ kind: "createSession", sessionId: SESSION, metadata: [] });
await dispatch({
  kind: "registerVariable",
  sessionId: SESSION,
  definition: {
    name: VARIABLE,
    type: "float",
    initialValue: { kind: "float", value: MIN },
    constraints: [
      { key: "min", values: [{ kind: "float", value: MIN }] },
      { key: "max", values: [{ kind: "float", value: MAX }] },
    ],
    metadata: METADATA,
  },
  onMissing: "fail",
});

function setOnce(): Promise<void> {
  return dispatch({
    kind: "setVariable",
    sessionId: SESSION,
    item: { identifier: VARIABLE, value: { kind: "float", value: nextValue() } },
    onMissing: "fail",
    metadata: [],
    source: SOURCE,
  });
}

await setOnce();
const commitOfSet = store.lastCommit as Commit;
const records = new RecordMaker();
let check = 0n;

const works: Record<string, () => Promise<void>> = {
  async get() {
    for (let i = 0; i < STEP; i++) {
      await dispatch({ kind: "getVariable", sessionId: SESSION, identifier: VARIABLE });
    }
  },
  async set() {
    for (let i = 0; i < STEP; i++) await setOnce();
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
