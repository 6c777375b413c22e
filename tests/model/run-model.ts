/**
 * Runs sequences of commands against an engine and the model, and compares every answer, every session and, at the end,
 * what the store kept. A run that found nothing is worth something only if it saw something, so it counts what it saw.
 */
import fc from "fast-check";
import type { Clock } from "../../packages/bridge/src/core/clock.js";
import type { Command, Reply, RequestId, SetItem } from "../../packages/bridge/src/core/commands.js";
import type { BridgeLimits } from "../../packages/bridge/src/core/limits.js";
import { DEFAULT_LIMITS } from "../../packages/bridge/src/core/limits.js";
import { REASONS, Refusal } from "../../packages/bridge/src/core/refusal.js";
import { SessionState } from "../../packages/bridge/src/core/session/state.js";
import { ANYONE, type Principal } from "../../packages/bridge/src/engine/principal.js";
import { type CommitRecord, fromRecord } from "../../packages/bridge/src/storage/record.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { CLIENT_IDS, CURRENT_VERSION, MAX_ITEMS, NEXT_VERSION, type Step, sequence } from "./arbitraries.js";
import {
  compareAnswer,
  Difference,
  equal,
  plainModelVariable,
  plainVariable,
  Revisions,
  show,
} from "./compare.js";
import { clientOf, Model } from "./model.js";
import { COMMON_NAMES, FORMER_ID_OF, GOOD_SESSION_IDS, ID_OF } from "./pools.js";
import { hasIdForm, type Refused } from "./rules.js";
import { at, type ModelReply, type ModelSession } from "./state.js";

/** What is tested: an engine and the store behind it. */
export interface Subject {
  dispatch(principal: Principal, command: Command, deadline?: number): Promise<Reply | Refusal>;
  /** The store, for looking at what was kept. */
  readonly store: Store;
  close(): Promise<void>;
  /** Closes it and starts another on what the store kept; absent if the store keeps nothing. */
  restart?(): Promise<Subject>;
}

/** What an engine is made of, save its store. */
export interface Parts {
  readonly clock: Clock;
  readonly limits: BridgeLimits;
  readonly defaultTtlMs: number;
  readonly newIncarnation: () => string;
  readonly version: string;
}

export type MakeEngine = (parts: Parts) => Subject | Promise<Subject>;

export interface ModelRun {
  readonly makeEngine: MakeEngine;
  readonly runs: number;
  /** The longest sequence. */
  readonly maxSteps?: number;
  /** One sequence in so many has a flood of writes in it. */
  readonly floodEvery?: number;
  /** From a failed run's report: the same sequences again, or with `path` the failed one alone. */
  readonly seed?: number | undefined;
  readonly path?: string | undefined;
  /** Report the first failure as it is. */
  readonly withoutShrinking?: boolean;
}

/** What a run came to. */
export interface ModelReport {
  /** What differed, and the sequence; undefined if nothing did. */
  readonly failure: string | undefined;
  readonly seed: number;
  readonly path: string | undefined;
  readonly runs: number;
  /** How often each thing happened, by its name. */
  readonly seen: ReadonlyMap<string, number>;
}

const LIMITS: BridgeLimits = {
  ...DEFAULT_LIMITS,
  maxValueBytes: 10_000,
  maxItems: MAX_ITEMS,
  maxVariables: 5,
  maxSessions: 2,
};
const DEFAULT_TTL_MS = 60_000;
const FLOOD = 1_001;
const SHRINKING_MS = 20_000;

/** What every run of some size has to have seen. */
export const HAS_TO_BE_SEEN: readonly string[] = [
  ...[
    "ping",
    "createSession",
    "getSession",
    "listSessions",
    "heartbeat",
    "deleteSession",
    "registerVariable",
    "ensureVariables",
    "getVariable",
    "getVariables",
    "setVariable",
    "setVariables",
    "incrementVariable",
    "deleteVariable",
    "listVariables",
  ].flatMap((kind) => [`${kind} accepted`, `${kind} refused`]),
  // A bug in the server is the one reason that nothing should reach.
  ...REASONS.filter((reason) => reason !== "INTERNAL"),
  "a session expired",
  "a session was created again",
  "a write created its session",
  "a retry was answered with the original reply",
  "a variable was inferred",
  "expected_version 0 created a variable",
  "a provisional integer became a float",
  "a provisional variable was settled",
  "constraints were replaced",
  "JSON was kept as it was sent",
  "a value of another arm became JSON",
  "a value was none of the choices",
  "an ensure changed nothing",
  "a deleted name was created again",
  "best effort, some accepted",
  "best effort, none accepted",
  "an empty batch",
  "an increment overflowed",
  "a variable was found by its id",
  "a former id led nowhere",
  "the wall clock jumped",
  "commands were sent together",
];

/** Runs sequences until one fails or all have passed. */
export async function runModel(options: ModelRun): Promise<ModelReport> {
  const { runs, maxSteps = 60, floodEvery = 10, seed, path, withoutShrinking = false } = options;
  const seen = new Map<string, number>();
  const sequences = sequence(maxSteps, floodEvery);
  const first = await fc.check(
    fc.asyncProperty(sequences, (steps) => runSequence(options, steps, seen)),
    {
      numRuns: runs,
      endOnFailure: true,
      ...(seed === undefined ? {} : { seed }),
      ...(path === undefined || path === "" ? {} : { path }),
    },
  );
  if (!first.failed || withoutShrinking) return reportOf(first, seen);
  // What failed, made as short as a while allows; of a sequence with a flood in it every try takes long.
  const shorter = await fc.check(
    fc.asyncProperty(sequences, (steps) => runSequence(options, steps, new Map())),
    { seed: first.seed, path: first.counterexamplePath ?? "", interruptAfterTimeLimit: SHRINKING_MS },
  );
  return { ...reportOf(shorter.failed ? shorter : first, seen), runs: first.numRuns };
}

function reportOf(details: fc.RunDetails<[readonly Step[]]>, seen: ReadonlyMap<string, number>): ModelReport {
  const steps = details.counterexample?.[0] ?? [];
  const why =
    details.errorInstance instanceof Difference
      ? details.errorInstance.message
      : String(details.errorInstance);
  return {
    failure: details.failed ? [...steps.map((step, i) => `${i}: ${show(step)}`), why].join("\n") : undefined,
    seed: details.seed,
    path: details.counterexamplePath ?? undefined,
    runs: details.numRuns,
    seen,
  };
}

async function runSequence(
  options: ModelRun,
  steps: readonly Step[],
  seen: Map<string, number>,
): Promise<void> {
  const run = new Run(options);
  await run.start();
  try {
    for (const step of steps) await run.step(step);
    await run.finish();
  } finally {
    for (const [what, times] of run.model.seen) seen.set(what, (seen.get(what) ?? 0) + times);
    await run.close();
  }
}

type CommandStep = Extract<Step, { do: "command" }>;

/** One sequence: the engine, the model, and what has happened so far. */
class Run {
  readonly clock = new ManualClock();
  readonly model: Model;
  subject!: Subject;
  readonly #options: ModelRun;
  readonly #revisions = new Revisions();
  readonly #parts: Parts;
  /** The writes that had request ids, as they were sent. */
  readonly #sent: Pick<CommandStep, "command" | "principal">[] = [];
  /** Session id and name to the first id that the name had. */
  readonly #formerIds = new Map<string, string>();
  #incarnations = 0;
  #closed = false;

  constructor(options: ModelRun) {
    this.#options = options;
    this.model = new Model({ ...LIMITS, defaultTtlMs: DEFAULT_TTL_MS });
    this.model.wall = this.clock.wallTime();
    this.#parts = {
      clock: this.clock,
      limits: LIMITS,
      defaultTtlMs: DEFAULT_TTL_MS,
      newIncarnation: () => (++this.#incarnations).toString(16).padStart(32, "0"),
      version: "1.2.3",
    };
  }

  async start(): Promise<void> {
    this.subject = await this.#options.makeEngine(this.#parts);
  }

  async close(): Promise<void> {
    if (!this.#closed) await this.subject.close();
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
      case "idle": {
        const session = this.model.sessions.get(step.sessionId);
        if (session === undefined || session.ttlMs === 0) return;
        return this.#advance(Math.max(0, session.usedAt + session.ttlMs + step.offsetMs - this.model.now));
      }
      case "jump":
        this.clock.jumpWall(step.ms);
        this.model.wall += step.ms;
        this.model.note("the wall clock jumped");
        return;
      case "flood":
        return this.#flood(step.sessionId, step.clientId, step.first);
      case "restart":
        return this.#restart();
    }
  }

  async #command({ command, principal: name, deadline, inspect }: Omit<CommandStep, "do">): Promise<void> {
    const principal: Principal = { name };
    const existed = "sessionId" in command && this.model.sessions.has(command.sessionId);
    const expected = this.model.apply(command, {
      principal: principal.name,
      deadlinePassed: deadline === "passed",
    });
    const at = this.clock.now();
    const actual = await this.subject.dispatch(
      principal,
      command,
      deadline === "none" ? undefined : deadline === "passed" ? at - 1 : at + 1,
    );
    this.#judge(command, expected, actual, existed, name);
    await this.#compareSessions();
    if (inspect && "sessionId" in command) await this.#compareVariables(command.sessionId);
  }

  #judge(
    command: Command,
    expected: ModelReply | Refused,
    actual: Reply | Refusal,
    existed: boolean,
    principal: CommandStep["principal"] = "anyone",
  ): void {
    try {
      compareAnswer(command, expected, actual, this.#revisions);
    } catch (error) {
      throw error instanceof Difference ? new Difference(`to ${show(command)}: ${error.message}`) : error;
    }
    this.#count(command, actual, existed);
    if ("requestId" in command && command.requestId !== undefined) this.#sent.push({ command, principal });
  }

  /** Puts what is known by now in the places of placeholders. */
  #resolve(command: Command): Command {
    if (!("sessionId" in command)) return command;
    const session = this.model.sessions.get(command.sessionId);
    const identifier = (text: string): string => {
      if (text.startsWith(ID_OF)) {
        const name = text.slice(ID_OF.length);
        return session?.variables.get(name)?.id ?? `var_${name}_1`;
      }
      if (!text.startsWith(FORMER_ID_OF)) return text;
      const name = text.slice(FORMER_ID_OF.length);
      return this.#formerIds.get(`${command.sessionId}\n${name}`) ?? `var_${name}_2`;
    };
    const item = (given: SetItem): SetItem => {
      const resolved = { ...given, identifier: identifier(given.identifier) };
      if (given.expectedVersion === undefined || given.expectedVersion >= 0) return resolved;
      const current = session && versionOf(session, resolved.identifier);
      const later =
        given.expectedVersion === NEXT_VERSION ? 1 : given.expectedVersion === CURRENT_VERSION ? 0 : 2;
      return { ...resolved, expectedVersion: (current ?? 1) + later };
    };
    switch (command.kind) {
      case "getVariable":
      case "incrementVariable":
      case "deleteVariable":
        return { ...command, identifier: identifier(command.identifier) };
      case "getVariables":
        return { ...command, identifiers: command.identifiers.map(identifier) };
      case "setVariable":
        return { ...command, item: item(command.item) };
      case "setVariables":
        return { ...command, items: command.items.map(item) };
      default:
        return command;
    }
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

  async #advance(ms: number): Promise<void> {
    this.clock.advance(ms);
    this.model.advance(ms);
    await this.#compareSessions();
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
      compareAnswer(command, expected, await this.subject.dispatch(ANYONE, command), this.#revisions);
    }
    await this.#compareSessions();
  }

  /** One session's commands are decided in the order sent, whether or not the one before is answered yet. */
  async #together(commands: readonly Command[]): Promise<void> {
    const answers = commands.map((command) => this.subject.dispatch(ANYONE, command));
    for (const [i, command] of commands.entries()) {
      const existed = "sessionId" in command && this.model.sessions.has(command.sessionId);
      const expected = this.model.apply(command);
      const actual = (await answers[i]) as Reply | Refusal;
      // What a session remembers ends with it: of a retry that is overtaken by the end, nobody can tell any more.
      const overtaken = commands.slice(i + 1).some(({ kind }) => kind === "deleteSession");
      const untold = actual instanceof Refusal && actual.reason === "OUTCOME_UNKNOWN";
      if (!overtaken || !untold) this.#judge(command, expected, actual, existed);
    }
    if (commands.length > 0) this.model.note("commands were sent together");
    await this.#compareSessions();
  }

  /** After it all sessions are used at once: how much idle time a restart forgives is not exact (ORD-12). */
  async #restart(): Promise<void> {
    if (this.subject.restart === undefined) return;
    this.subject = await this.subject.restart();
    this.model.note("the engine was restarted");
    for (const sessionId of this.model.sessions.keys()) {
      const command: Command = { kind: "heartbeat", sessionId };
      this.#judge(command, this.model.apply(command), await this.subject.dispatch(ANYONE, command), true);
    }
    await this.#compareSessions();
    for (const sessionId of this.model.sessions.keys()) await this.#compareVariables(sessionId);
  }

  #count(command: Command, actual: Reply | Refusal, existed: boolean): void {
    const note = (what: string): void => this.model.note(what);
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
    for (const { name, id } of session.variables.values()) {
      const key = `${session.id}\n${name}`;
      if (!this.#formerIds.has(key)) this.#formerIds.set(key, id);
    }
  }
  readonly #lived = new Set<string>();

  /** All heads, without touching any session. */
  async #compareSessions(): Promise<void> {
    const command: Command = { kind: "listSessions", pageSize: 0, pageToken: "" };
    const actual = await this.subject.dispatch(ANYONE, command);
    if (!(actual instanceof Refusal) && actual.kind === "listSessions") {
      for (const { id, lastAccessedAtMs } of actual.sessions) this.model.observeUse(id, lastAccessedAtMs);
    }
    compareAnswer(command, this.model.apply(command), actual, this.#revisions);
  }

  async #compareVariables(sessionId: string): Promise<void> {
    const command: Command = { kind: "listVariables", sessionId, pageSize: 0, pageToken: "" };
    const expected = this.model.apply(command);
    compareAnswer(command, expected, await this.subject.dispatch(ANYONE, command), this.#revisions);
  }

  /** Everything once more, then the store, then the end. */
  async finish(): Promise<void> {
    await this.#compareSessions();
    for (const id of GOOD_SESSION_IDS) await this.#compareVariables(id);
    const { store } = this.subject;
    for (const session of this.model.sessions.values()) await this.#compareStored(store, session);
    for (const id of GOOD_SESSION_IDS) {
      if (!this.model.sessions.has(id)) equal(`the store's ${id}`, undefined, await store.load(id));
    }
    await this.close();
    const last = await this.subject.dispatch(ANYONE, { kind: "ping", message: "" });
    equal("reason after the end", "SHUTTING_DOWN", last instanceof Refusal ? last.reason : last.kind);
    this.model.note("SHUTTING_DOWN");
  }

  /** The fold of the stored commits is the session, and the commits are a chain (ORD-4). */
  async #compareStored(store: Store, session: ModelSession): Promise<void> {
    const stored = await store.load(session.id);
    if (stored === undefined) throw new Difference(`the store has lost ${session.id}`);
    this.#compareState(session, stored.state);
    this.#revisions.expect(at(session), {
      incarnation: stored.state.incarnation,
      number: stored.state.revision,
      check: stored.check,
    });
    const records = await store.commitsAfter(session.id, 0);
    if (records === "compacted") {
      if (session.revision <= 1_000)
        throw new Difference(`${session.revision} commits were compacted already`);
      return;
    }
    equal(
      "revisions in the store",
      Array.from({ length: session.revision }, (_, i) => i + 1),
      records.map(({ commit }) => commit.revision),
    );
    this.#compareState(session, this.#fold(records));
  }

  #fold(records: readonly CommitRecord[]): SessionState {
    let state: SessionState | undefined;
    let check = 0n;
    for (const record of records) {
      const read = fromRecord(record.bytes);
      equal("check of the commit before", check, read.previousCheck);
      equal("check of the record", record.check, read.check);
      const { incarnation, revision } = read.commit;
      const answered = this.#revisions.checkOf({ incarnation, number: revision, check: 0n });
      if (answered !== undefined) equal(`check answered for revision ${revision}`, answered, read.check);
      check = read.check;
      if (state === undefined) state = SessionState.create(read.commit);
      else state.apply(read.commit);
    }
    return state as SessionState;
  }

  #compareState(session: ModelSession, state: SessionState): void {
    const plain = {
      id: state.id,
      revision: state.revision,
      ttlMs: state.ttlMs,
      metadata: [...state.metadata],
      createdAtMs: state.createdAtMs,
      names: state.nameCount,
      variables: [...state.variables.values()].map(plainVariable),
      versions: COMMON_NAMES.map((name) => state.lastVersion(name)),
      requests: knownRequests().map((id) => typeof state.findRequest(ANYONE.name, id)),
    };
    const { id, revision, ttlMs, metadata, createdAtMs, variables, tombstones } = session;
    const expected = {
      id,
      revision,
      ttlMs,
      metadata,
      createdAtMs,
      names: variables.size + tombstones.size,
      variables: [...state.variables.keys()]
        .flatMap((name) => variables.get(name) ?? [])
        .map(plainModelVariable),
      versions: COMMON_NAMES.map((name) => tombstones.get(name) ?? 0),
      requests: knownRequests().map((request) => typeof requestIn(session, request)),
    };
    equal("number of variables in the store", variables.size, state.variables.size);
    equal("the state in the store", expected, plain);
  }
}

function versionOf(session: ModelSession, identifier: string): number | undefined {
  return [...session.variables.values()].find(({ id, name }) => id === identifier || name === identifier)
    ?.version;
}

/** True for an id that the present variable of its name does not have. */
function isFormerId(session: ModelSession, identifier: string): boolean {
  return [...session.variables.values()].some(
    ({ id, name }) => identifier !== id && identifier.startsWith(`var_${name}_`) && hasIdForm(identifier),
  );
}

function knownRequests(): RequestId[] {
  return CLIENT_IDS.flatMap((clientId) =>
    Array.from({ length: 13 }, (_, i) => ({ clientId, sequence: i + 1 })),
  );
}

/** A number, as the state says it, for a request that is remembered; else a word. */
function requestIn(session: ModelSession, id: RequestId): number | string {
  const client = clientOf(ANYONE.name, id);
  const { sequence } = id;
  const known = session.remembered.find((r) => r.client === client && r.sequence === sequence);
  if (known === undefined) return sequence <= (session.marks.get(client) ?? 0) ? "forgotten" : "new";
  return 1;
}

/** Which of the things that have to be seen were not. */
export function missingFrom({ seen }: ModelReport): string[] {
  return HAS_TO_BE_SEEN.filter((what) => !seen.has(what));
}

/** What was seen, in columns. */
export function summaryOf({ seen, runs, seed }: ModelReport): string {
  const lines = [...seen]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([what, times]) => `${String(times).padStart(9)}  ${what}`);
  return [`${runs} sequences, seed ${seed}`, ...lines].join("\n");
}
