/**
 * The grid of failpoints: a bridge is started with one of them armed, the script is carried out until the bridge dies,
 * fails or has come through, and then it is opened again and compared with what was answered.
 *
 * The script is one write after the other, so at most one has no answer. What a bridge shows after a crash is therefore
 * what it showed before that write or what it was to show after it, as a whole.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { createEngine } from "snakepit-bridge/server";
import { GrpcTransport } from "../../packages/bridge/src/client/transport/grpc.js";
import type { Command, Reply, Revision } from "../../packages/bridge/src/core/commands.js";
import { BridgeError } from "../../packages/bridge/src/core/errors.js";
import { type Reason, Refusal } from "../../packages/bridge/src/core/refusal.js";
import { ANYONE } from "../../packages/bridge/src/engine/principal.js";
import {
  FAILPOINT_VARIABLE,
  FAILPOINTS,
  type Failpoint,
} from "../../packages/bridge/src/storage/sqlite/failpoints.js";
import { verifyFile } from "../../packages/bridge/src/storage/sqlite/verify.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { TestProcess } from "../e2e/processes.js";
import {
  carryOut,
  comparable,
  type Expected,
  expectations,
  revisionIn,
  SCRIPT,
  type Step,
  type Subject,
  stateOf,
} from "./script.js";
import { makeFolder, program } from "./server.js";

export const FAILPOINT_NAMES = Object.keys(FAILPOINTS) as Failpoint[];
export const ACTIONS = ["kill", "throw", "hang"] as const;

/** One run: what is armed. */
export interface Cell {
  readonly name: Failpoint;
  readonly action: (typeof ACTIONS)[number];
  /** The time of passing that it happens at. */
  readonly count: number;
}

/** The failpoints that every commit passes, so that any step can be chosen. */
export const PASSED_BY_COMMITS: readonly Failpoint[] = [
  "before-append",
  "after-insert-before-commit",
  "after-commit-before-answer",
  "before-answer",
];

/** What a run came to: whether the failpoint was passed that often, and all that was wrong. */
export interface Outcome {
  readonly fired: boolean;
  readonly failures: readonly string[];
}

/** Has a bridge meet one failpoint, and tells what became of it. */
export async function meet(cell: Cell, expected: Expected): Promise<Outcome> {
  const folder = await makeFolder();
  const run = new Run(cell, join(folder, "bridge.db"), expected);
  try {
    const fired = await run.crash();
    await run.recover();
    return { fired, failures: run.failures };
  } catch (error) {
    return { fired: true, failures: [...run.failures, `${run.title}: ${error}`] };
  } finally {
    // There are many, and they are large.
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What came out of the whole grid. */
export interface GridReport {
  readonly cells: number;
  /** All that was wrong, in words. Empty: nothing was. */
  readonly failures: readonly string[];
}

/** The script takes a second or two. */
const STUCK_MS = 100_000;

/** How many bridges meet their failpoints at the same time; those that stand still cost nothing. */
const LANES = 4;

/** Has bridges meet every failpoint at every time that it is passed, in every way. `say` gets a line now and then. */
export async function wholeGrid(say: (line: string) => void): Promise<GridReport> {
  const expected = await expectations();
  const rows = FAILPOINT_NAMES.flatMap((name) => ACTIONS.map((action) => ({ name, action })));
  const failures: string[] = [];
  let cells = 0;
  const lane = async (): Promise<void> => {
    for (let row = rows.shift(); row !== undefined; row = rows.shift()) {
      const met = await meetAll(row, expected);
      cells += met.passes;
      failures.push(...met.failures);
      for (const failure of met.failures) say(failure);
      say(`${row.name}:${row.action} was met ${met.passes} times`);
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { cells, failures };
}

/** Meets a failpoint at every time that it is passed, and tells how often that was. */
async function meetAll(
  { name, action }: Omit<Cell, "count">,
  expected: Expected,
): Promise<{ readonly passes: number; readonly failures: readonly string[] }> {
  for (let count = 1; ; count++) {
    const { fired, failures } = await meet({ name, action, count }, expected);
    if (failures.length > 0) return { passes: count, failures };
    if (!fired) return { passes: count - 1, failures: missed(name, count - 1, expected) };
  }
}

/** Commits that did not pass a failpoint that every commit passes; or a failpoint that was never passed at all. */
function missed(name: Failpoint, passes: number, { commits }: Expected): string[] {
  const least = PASSED_BY_COMMITS.includes(name) ? (commits.at(-1) ?? 0) : 1;
  return passes >= least ? [] : [`${name} was passed ${passes} times, not ${least}`];
}

class Run {
  readonly failures: string[] = [];
  readonly title: string;
  readonly #cell: Cell;
  readonly #file: string;
  readonly #expected: Expected;
  /** How many steps were answered, and whether the next one may have been carried out all the same. */
  #answered = 0;
  #unknown = false;
  /** The last revision that was answered for each session that lives. */
  readonly #revisions = new Map<string, Revision>();

  constructor(cell: Cell, file: string, expected: Expected) {
    this.#cell = cell;
    this.#file = file;
    this.#expected = expected;
    this.title = `${FAILPOINT_VARIABLE}=${cell.name}:${cell.action}:${cell.count}`;
  }

  /** Carries the script out, and sees how the bridge ends. True if it met the failpoint. */
  async crash(): Promise<boolean> {
    const { name, action, count } = this.#cell;
    const bridge = new TestProcess(
      process.execPath,
      [program, "serve", "--port", "0", "--store", `sqlite:${this.#file}`, "--log-level", "silent"],
      { [FAILPOINT_VARIABLE]: `${name}:${action}:${count}` },
    );
    // One that neither ends nor answers is not to be taken for one that was killed.
    const guard = setTimeout(() => bridge.signal("SIGABRT"), STUCK_MS);
    try {
      await this.#play(bridge);
      return this.#judge(await bridge.ended, bridge.stderr);
    } finally {
      clearTimeout(guard);
      await bridge.end("SIGKILL");
    }
  }

  /** Carries out step after step until the bridge has gone; ends it after the last. */
  async #play(bridge: TestProcess): Promise<void> {
    const stop = new AbortController();
    void bridge.ended.then(() => stop.abort());
    const line = await bridge.line().catch((error: unknown) => {
      // Some failpoints are passed before it listens.
      if (!stop.signal.aborted) throw error;
    });
    if (line === undefined) return;
    const address = /listening on (\S+)/.exec(line)?.[1] ?? line;
    const transport = new GrpcTransport(address, { timeoutMs: 20_000 });
    const subject = remote(transport, stop.signal);
    try {
      for (const [i, step] of SCRIPT.entries()) {
        this.#unknown = true;
        this.#take(i, step, await carryOut(step, subject));
      }
      bridge.signal("SIGTERM");
    } catch (error) {
      // The client says that nothing was done: then nothing may be there.
      if (nameOf(error) === "UnavailableError") this.#unknown = false;
      else if (!stop.signal.aborted && nameOf(error) !== "OutcomeUnknownError") throw error;
    } finally {
      await bridge.ended;
      await transport.close();
    }
  }

  /** Takes in an answer. */
  #take(i: number, step: Step, answer: Awaited<ReturnType<typeof carryOut>>): void {
    this.#answered = i + 1;
    this.#unknown = false;
    this.#expect(`the answer to ${step.what}`, comparable(answer), this.#expected.answers[i]);
    if ("expires" in step) return;
    const { sessionId, kind } = step.command;
    const revision = revisionIn(answer);
    if (revision === undefined) return;
    const known = this.#revisions.get(sessionId);
    if (known?.incarnation === revision.incarnation && revision.number < known.number) {
      this.#fail(`${step.what} was answered with revision ${revision.number} after ${known.number}`);
    }
    this.#revisions.set(sessionId, revision);
    if (kind === "deleteSession") this.#revisions.delete(sessionId);
  }

  #judge(ended: number | string, stderr: string): boolean {
    const { name, action } = this.#cell;
    if (ended === 0 && stderr === "") return false;
    const how = {
      kill: { ended: "SIGKILL", stderr: "" },
      throw: { ended: 1, stderr: `error: ${this.#file}: failpoint ${name}\n` },
      hang: { ended: 0, stderr: `failpoint ${name}: standing still for 2000 ms\n` },
    }[action];
    this.#expect("the end", comparable({ ended, stderr }), comparable(how));
    if (action === "hang" && this.#answered < SCRIPT.length) this.#fail("not all was answered");
    return true;
  }

  /** Opens what is left without a failpoint, compares, and goes on with the script to its end. */
  async recover(): Promise<void> {
    const clock = new ManualClock();
    const store = `sqlite:${this.#file}`;
    const engine = await createEngine({ store, durability: "relaxed", clock });
    const subject: Subject = {
      ask: (command) => engine.dispatch(ANYONE, command),
      outlive: async () => clock.advance(1),
    };
    try {
      // A session with the shortest TTL that was left is of no interest.
      clock.advance(1);
      const done = await this.#compare(subject);
      for (const [i, step] of [...SCRIPT.entries()].slice(this.#answered)) {
        const answer = await carryOut(step, subject);
        // The one write without a request id; that there is nothing left to delete says the same.
        const repeated = i === this.#answered && done && "command" in step;
        if (repeated && step.command.kind === "deleteSession") {
          const refused = "reason" in answer ? answer.reason : answer.kind;
          this.#expect(`the retry of ${step.what}`, refused, "SESSION_NOT_FOUND");
        } else
          this.#expect(`the later answer to ${step.what}`, comparable(answer), this.#expected.answers[i]);
        if (i === this.#answered || i === SCRIPT.length - 1) {
          this.#expect(
            `what is shown after ${step.what}`,
            await stateOf(subject),
            this.#expected.states[i + 1],
          );
        }
      }
    } finally {
      await engine.close();
    }
    await verifyFile(this.#file);
  }

  /** Compares what is shown with what was answered; true if the write without an answer was carried out. */
  async #compare(subject: Subject): Promise<boolean> {
    const { states } = this.#expected;
    const found = await stateOf(subject);
    const step = SCRIPT[this.#answered];
    const done = this.#unknown && found !== states[this.#answered];
    const expected = states[this.#answered + (done ? 1 : 0)];
    this.#expect(`what is left after ${this.#answered} answers`, found, expected);
    for (const [sessionId, known] of this.#revisions) {
      if (done && step && "command" in step && step.command.sessionId === sessionId) continue;
      const answer = await subject.ask({ kind: "getSession", sessionId });
      const revision = revisionIn(answer);
      const same = revision?.check === known.check && revision.incarnation === known.incarnation;
      if (!same || revision.number !== known.number) this.#fail(`session ${sessionId} has another history`);
    }
    return done;
  }

  #expect(what: string, found: string, expected: string | undefined): void {
    if (found !== expected) this.#fail(`${what} is\n${found}\nand not\n${expected}`);
  }

  #fail(what: string): void {
    this.failures.push(`${this.title}: ${what}`);
  }
}

/** Reasons that a bridge gives in answer to the script. */
const REFUSED = [
  "SESSION_NOT_FOUND",
  "CONSTRAINT_VIOLATED",
  "BATCH_REFUSED",
] as const satisfies readonly Reason[];

/** A bridge in another process, on a clock that nobody moves. */
function remote(transport: GrpcTransport, signal: AbortSignal): Subject {
  const ask = async (command: Command): Promise<Reply | Refusal> => {
    try {
      return await transport.call(command, { signal });
    } catch (error) {
      const reason =
        error instanceof BridgeError ? REFUSED.find((known) => known === error.reason) : undefined;
      if (reason === undefined) throw error;
      return new Refusal(reason, (error as BridgeError).message);
    }
  };
  return {
    ask,
    async outlive(sessionId) {
      // Asking for a list is no use of what is in it.
      const list = { kind: "listSessions", glob: sessionId, pageSize: 0, pageToken: "" } as const;
      for (;;) {
        const reply = await ask(list);
        if ("sessions" in reply && reply.sessions.length === 0) return;
      }
    },
  };
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : "";
}
