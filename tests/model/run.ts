/** One sequence of the model test: the engine, the model, and what has happened so far. */
import type { Command, Reply, RequestId } from "../../packages/bridge/src/core/commands.js";
import { type BridgeLimits, DEFAULT_LIMITS } from "../../packages/bridge/src/core/limits.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import { ANYONE, type Principal } from "../../packages/bridge/src/engine/principal.js";
import { settle } from "../../packages/bridge/src/testing/bench.contract.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { MAX_ITEMS, type Step } from "./arbitraries.js";
import { Burst } from "./burst.js";
import { compareAnswer, Difference, equal, Revisions, show } from "./compare.js";
import { Model } from "./model.js";
import { isFormerId, Placeholders } from "./placeholders.js";
import { GOOD_SESSION_IDS } from "./pools.js";
import { isRefused, type Refused } from "./rules.js";
import type { ModelReply } from "./state.js";
import { compareStored } from "./stored.js";
import type { MakeEngine, Parts, Subject } from "./subject.js";

const LIMITS: BridgeLimits = {
  ...DEFAULT_LIMITS,
  maxValueBytes: 10_000,
  maxItems: MAX_ITEMS,
  maxVariables: 5,
  maxSessions: 2,
};
const DEFAULT_TTL_MS = 60_000;
const FLOOD = 1_001;
const LONGEST_IDLE_MS = 31 * 86_400_000;

type CommandStep = Extract<Step, { do: "command" }>;
type CrashStep = Extract<Step, { do: "crash" }>;
/** What became of a command of a burst: it was answered; or its commit was kept, or lost; or it made none. */
type Fate = "answered" | "kept" | "lost" | "not answered";

export class Run {
  readonly clock = new ManualClock();
  readonly model: Model;
  #subject!: Subject;
  readonly #revisions = new Revisions();
  readonly #parts: Parts;
  readonly #placeholders = new Placeholders();
  /** The writes that had request ids, as they were sent. */
  readonly #sent: Pick<CommandStep, "command" | "principal">[] = [];
  /** Ids of sessions that have been there. */
  readonly #lived = new Set<string>();
  /** Sessions of which it has not been seen yet how much idle time a start has forgiven (ORD-12). */
  #forgiven = new Set<string>();
  /** True if sessions have expired since the last look: nobody may have been told yet, so it need not be durable yet. */
  #endedUnseen = false;
  /** How many sessions had been read back when time was last let pass unseen. */
  #loadsBefore: number | undefined;
  #incarnations = 0;
  #closed = false;

  constructor() {
    this.model = new Model({ ...LIMITS, defaultTtlMs: DEFAULT_TTL_MS });
    this.model.wall = this.clock.wallTime();
    this.#parts = {
      clock: this.clock,
      limits: LIMITS,
      defaultTtlMs: DEFAULT_TTL_MS,
      newIncarnation: () => (++this.#incarnations).toString(16).padStart(32, "0"),
      version: "1.2.3",
      note: (what) => this.#note(what),
    };
  }

  async start(makeEngine: MakeEngine): Promise<void> {
    this.#subject = await makeEngine(this.#parts);
  }

  async close(): Promise<void> {
    if (!this.#closed) await this.#subject.close();
    this.#closed = true;
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case "command":
        return this.#command({ ...step, command: this.#resolve(step.command) });
      case "together":
        return this.#together(step.commands.map((command) => this.#resolve(command)));
      case "retry":
        return this.#retry(step.back, step.change);
      case "advance":
        return this.#advance(step.ms);
      case "sleep":
        return this.#advanceUnseen(step.ms);
      case "idle": {
        const session = this.model.sessions.get(step.sessionId);
        if (session === undefined || session.ttlMs === 0) return;
        // An engine on a file keeps idle times every minute, and these ten years would all pass in one turn of its loop.
        if (this.#subject.crashing !== undefined && session.ttlMs > LONGEST_IDLE_MS) return;
        return this.#advance(Math.max(0, session.usedAt + session.ttlMs + step.offsetMs - this.model.now));
      }
      case "jump":
        await this.#lookAtForgiven();
        this.clock.jumpWall(step.ms);
        this.model.wall += step.ms;
        this.#note("the wall clock jumped");
        return;
      case "flood":
        return this.#flood(step.sessionId, step.clientId, step.first);
      case "restart":
        return this.#restart(step.commands.map((command) => this.#resolve(command)));
      case "crash":
        return this.#crash(step);
    }
  }

  #note(what: string): void {
    this.model.note(what);
  }

  #resolve(command: Command): Command {
    return this.#placeholders.resolve(
      command,
      "sessionId" in command ? this.model.sessions.get(command.sessionId) : undefined,
    );
  }

  // ── commands ───────────────────────────────────────────────────────────────────────────────────────────────────────

  async #command({ command, principal: name, deadline, inspect }: Omit<CommandStep, "do">): Promise<void> {
    // A list shows when each session was used last.
    if (command.kind === "listSessions") await this.#lookAtForgiven();
    const principal: Principal = { name };
    const existed = this.#exists(command);
    const expected = this.model.apply(command, {
      principal: principal.name,
      deadlinePassed: deadline === "passed",
    });
    const at = this.clock.now();
    const actual = await this.#subject.dispatch(
      principal,
      command,
      deadline === "none" ? undefined : deadline === "passed" ? at - 1 : at + 1,
    );
    this.#judge(command, expected, actual, existed);
    this.#remember(command, name);
    await this.#compareSessions();
    if (inspect && "sessionId" in command) await this.#compareVariables(command.sessionId);
  }

  #exists(command: Command): boolean {
    return "sessionId" in command && this.model.sessions.has(command.sessionId);
  }

  #judge(command: Command, expected: ModelReply | Refused, actual: Reply | Refusal, existed: boolean): void {
    try {
      compareAnswer(command, expected, actual, this.#revisions);
    } catch (error) {
      throw error instanceof Difference ? new Difference(`to ${show(command)}: ${error.message}`) : error;
    }
    this.#count(command, actual, existed);
  }

  #remember(command: Command, principal: CommandStep["principal"] = "anyone"): void {
    if ("requestId" in command && command.requestId !== undefined) this.#sent.push({ command, principal });
  }

  async #retry(back: number, change: boolean): Promise<void> {
    const sent = this.#sent[this.#sent.length - 1 - back];
    if (sent === undefined) return;
    const { command, principal } = sent;
    // A retry with other content is still the same request.
    const changed =
      change && command.kind === "setVariables"
        ? { ...command, atomic: !command.atomic, items: [] }
        : command;
    await this.#command({ command: changed, principal, deadline: "none", inspect: true });
  }

  async #flood(sessionId: string, clientId: string, first: number): Promise<void> {
    for (let i = 0; i < FLOOD; i++) {
      const requestId: RequestId = { clientId, sequence: first + i };
      const command: Command = {
        kind: "setVariable",
        sessionId,
        item: { identifier: "n", value: { kind: "number", value: i } },
        onMissing: "infer",
        metadata: [],
        requestId,
      };
      const expected = this.model.apply(command);
      compareAnswer(command, expected, await this.#subject.dispatch(ANYONE, command), this.#revisions);
    }
    await this.#compareSessions();
  }

  /** One session's commands are decided in the order sent, whether or not the one before is answered yet. */
  async #together(commands: readonly Command[]): Promise<void> {
    const burst = new Burst(this.#subject, commands);
    await burst.wait();
    this.#judgeBurst(burst);
    if (commands.length > 0) this.#note("commands were sent together");
    await this.#compareSessions();
  }

  /**
   * Judges what was answered. Of the commits that were made only the first `kept` have happened, so the model goes back to
   * before the next one. If the process has died, nobody may have been told of any.
   */
  #judgeBurst({ commands, answers }: Burst, { kept = Number.POSITIVE_INFINITY, died = false } = {}): Fate[] {
    const { model } = this;
    const first = model.commits;
    const changed = new Set<string | undefined>();
    let goBack: (() => void) | undefined;
    const fates = commands.map((command, i): Fate => {
      const existed = this.#exists(command);
      const before = model.commits;
      const saved = model.save();
      const expected = model.apply(command);
      const committed = model.commits > before;
      const lost = model.commits - first > kept;
      if (lost) goBack ??= saved;
      if (committed) changed.add(sessionOf(command));
      this.#remember(command);
      const actual = answers[i];
      if (actual === undefined) return committed ? (lost ? "lost" : "kept") : "not answered";
      if (died && changed.has(sessionOf(command)) && !isFormFault(command))
        throw new Difference(`${show(command)} was answered by something that was not durable`);
      // What a session remembers ends with it: of a retry that is overtaken by the end, nobody can tell any more.
      const overtaken = commands.slice(i + 1).some(({ kind }) => kind === "deleteSession");
      const untold = actual instanceof Refusal && actual.reason === "OUTCOME_UNKNOWN";
      if (!overtaken || !untold) this.#judge(command, expected, actual, existed);
      return "answered";
    });
    if (kept !== Number.POSITIVE_INFINITY && model.commits - first < kept)
      throw new Difference(`the store was handed ${kept} commits, not ${model.commits - first}`);
    goBack?.();
    return fates;
  }

  // ── time ───────────────────────────────────────────────────────────────────────────────────────────────────────────

  async #advance(ms: number): Promise<void> {
    await this.#advanceUnseen(ms);
    await this.#compareSessions();
  }

  /** Lets time pass without a look at the sessions, which wakes those that sleep. */
  async #advanceUnseen(ms: number): Promise<void> {
    await this.#lookAtForgiven();
    const { size } = this.model.sessions;
    this.clock.advance(ms);
    this.model.advance(ms);
    if (this.model.sessions.size < size) this.#endedUnseen = true;
    this.#loadsBefore = this.#subject.crashing?.store.loads;
  }

  /** While no time passes after a start, what it has forgiven may be looked at later. */
  async #lookAtForgiven(): Promise<void> {
    if (this.#forgiven.size > 0) await this.#compareSessions();
  }

  // ── ends and new beginnings ────────────────────────────────────────────────────────────────────────────────────────

  /** What is under way in an orderly stop is either carried out and answered, or refused and not done. */
  async #restart(commands: readonly Command[]): Promise<void> {
    if (this.#subject.restart === undefined) return;
    await this.#lookAtEnded();
    const burst = new Burst(this.#subject, commands);
    const next = await this.#subject.restart();
    await settle();
    burst.expectNoError();
    burst.expectAnswers();
    const refused = burst.answers.filter((answer) => isShuttingDown(answer)).length;
    // Their turn had not come, so it did not come for any of them.
    if (refused > 0) equal("refused by the stop", commands.length, refused);
    else this.#judgeBurst(burst);
    this.#began(next, "stop");
    this.#note("the engine was restarted");
    if (commands.length > 0) this.#note(`commands were ${refused > 0 ? "refused" : "answered"} in a stop`);
  }

  /** What has expired in its sleep is gone for good once somebody has looked. */
  async #lookAtEnded(): Promise<void> {
    if (this.#endedUnseen) await this.#compareSessions();
  }

  #began(subject: Subject, after: "stop" | "crash"): void {
    this.#subject = subject;
    this.model.started(after);
    this.#loadsBefore = undefined;
    this.#forgiven = new Set(this.model.sessions.keys());
  }

  /**
   * The process dies with commands under way. What the store was handed before that has happened, though nobody was told;
   * the rest has not.
   */
  async #crash({ commands: given, cut, retry }: CrashStep): Promise<void> {
    const { crashing } = this.#subject;
    if (crashing === undefined) return;
    const { store } = crashing;
    await this.#lookAtEnded();
    const commands = given.map((command) => this.#resolve(command));
    // Of several sessions those that sleep would be later than the others.
    const sessionIds = new Set(commands.flatMap((command) => sessionOf(command) ?? []));
    if (sessionIds.size > 1) for (const sessionId of sessionIds) await this.#heartbeat(sessionId);
    const before = store.kept;
    if (cut !== undefined) store.arrange("ends the process", cut);
    const burst = new Burst(this.#subject, commands);
    if (cut === undefined) store.die();
    await store.quiet();
    const died = store.dead;
    burst.expectNoError();
    if (!died) burst.expectAnswers();
    const fates = this.#judgeBurst(burst, { kept: store.kept - before, died });
    this.#began(await crashing.crash(), "crash");
    this.#noteCrash(commands, fates, died);
    if (retry)
      for (const [i, command] of commands.entries()) await this.#retryAfterCrash(command, fates[i] as Fate);
  }

  #heartbeat(sessionId: string): Promise<void> {
    const command: Command = { kind: "heartbeat", sessionId };
    return this.#command({ command, principal: "anyone", deadline: "none", inspect: false });
  }

  async #retryAfterCrash(command: Command, fate: Fate): Promise<void> {
    if (fate === "answered" || !("requestId" in command) || command.requestId === undefined) return;
    await this.#command({ command, principal: "anyone", deadline: "none", inspect: true });
    this.#note(`a write was retried after a crash: ${fate}`);
  }

  #noteCrash(commands: readonly Command[], fates: readonly Fate[], died: boolean): void {
    this.#note("the engine crashed");
    if (!died) this.#note("a crash had nothing to lose");
    const lost = commands.filter((_, i) => fates[i] === "lost");
    if (lost.length > 0) this.#note("a crash lost writes that nobody was told of");
    if (new Set(lost.map(sessionOf)).size > 1) this.#note("a crash lost writes of several sessions");
    if (fates.includes("kept")) this.#note("a crash kept writes that nobody was told of");
  }

  // ── comparing ──────────────────────────────────────────────────────────────────────────────────────────────────────

  #count(command: Command, actual: Reply | Refusal, existed: boolean): void {
    const note = (what: string): void => this.#note(what);
    if (!(actual instanceof Refusal)) {
      note(`${command.kind} accepted`);
      if (actual.kind === "setVariables")
        for (const r of actual.results) if (r instanceof Refusal) note(r.reason);
      if (
        actual.kind === "getVariable" &&
        command.kind === "getVariable" &&
        actual.variable.id === command.identifier
      )
        note("a variable was found by its id");
    } else {
      note(`${command.kind} refused`);
      note(actual.reason);
      for (const { refusal } of actual.details.items ?? []) note(refusal.reason);
    }
    if (!("sessionId" in command)) return;
    const session = this.model.sessions.get(command.sessionId);
    if (session === undefined) return;
    if ("identifier" in command && actual instanceof Refusal && isFormerId(session, command.identifier))
      note("a former id led nowhere");
    if (!existed && this.#lived.has(session.id)) note("a session was created again");
    this.#lived.add(session.id);
    this.#placeholders.learn(session);
  }

  /** All heads, without touching any session. */
  async #compareSessions(): Promise<void> {
    this.#noteWoken();
    this.#endedUnseen = false;
    const command: Command = { kind: "listSessions", pageSize: 0, pageToken: "" };
    const actual = await this.#subject.dispatch(ANYONE, command);
    if (!(actual instanceof Refusal) && actual.kind === "listSessions") {
      for (const { id, lastAccessedAtMs } of actual.sessions) {
        if (this.#forgiven.has(id) && !this.model.forgive(id, lastAccessedAtMs))
          throw new Difference(`${id} has less time left than before the start: ${show(actual.sessions)}`);
        this.model.observeUse(id, lastAccessedAtMs);
      }
      this.#forgiven.clear();
    }
    compareAnswer(command, this.model.apply(command), actual, this.#revisions);
  }

  #noteWoken(): void {
    const loads = this.#subject.crashing?.store.loads ?? 0;
    if (this.#loadsBefore !== undefined && loads > this.#loadsBefore) this.#note("a command woke a session");
    this.#loadsBefore = undefined;
  }

  async #compareVariables(sessionId: string): Promise<void> {
    const command: Command = { kind: "listVariables", sessionId, pageSize: 0, pageToken: "" };
    const expected = this.model.apply(command);
    compareAnswer(command, expected, await this.#subject.dispatch(ANYONE, command), this.#revisions);
    for (const identifier of this.model.sessions.get(sessionId)?.variables.keys() ?? []) {
      const asked: Command = { kind: "getVariableHistory", sessionId, identifier };
      const history = this.model.apply(asked);
      compareAnswer(asked, history, await this.#subject.dispatch(ANYONE, asked), this.#revisions);
    }
  }

  /** Everything once more, then the store, then the end. */
  async finish(): Promise<void> {
    await this.#compareSessions();
    for (const id of GOOD_SESSION_IDS) await this.#compareVariables(id);
    const { store } = this.#subject;
    for (const session of this.model.sessions.values()) await compareStored(store, session, this.#revisions);
    for (const id of GOOD_SESSION_IDS) {
      if (!this.model.sessions.has(id)) equal(`the store's ${id}`, undefined, await store.load(id));
    }
    await this.close();
    const last = await this.#subject.dispatch(ANYONE, { kind: "ping", message: "" });
    equal("reason after the end", "SHUTTING_DOWN", last instanceof Refusal ? last.reason : last.kind);
    this.#note("SHUTTING_DOWN");
  }
}

function isShuttingDown(answer: Reply | Refusal | undefined): boolean {
  return answer instanceof Refusal && answer.reason === "SHUTTING_DOWN";
}

function sessionOf(command: Command): string | undefined {
  return "sessionId" in command ? command.sessionId : undefined;
}

/** Whether a command is refused whatever sessions there are. */
function isFormFault(command: Command): boolean {
  const reply = new Model({ ...LIMITS, defaultTtlMs: DEFAULT_TTL_MS }).apply(command);
  return isRefused(reply) && !reply.reasons.includes("SESSION_NOT_FOUND");
}
