/**
 * The engine: `dispatch` is the only way to a session (DOOR-1). Doors translate into commands, the engine carries them
 * out one after the other, each decided at the tip and answered when what it was decided on is durable (ORD-5).
 */
import type { Clock } from "../core/clock.js";
import type {
  Command,
  CreateSession,
  DeleteSession,
  GetVariableHistory,
  ListSessions,
  Reply,
  Revision,
  SessionInfo,
  VariableOutcome,
  VariableRead,
  VariableWrite,
} from "../core/commands.js";
import { compileGlob } from "../core/glob.js";
import type { BridgeLimits } from "../core/limits.js";
import { MAX_METADATA_BYTES } from "../core/metadata.js";
import { checkSessionId } from "../core/names.js";
import { invalidField, overLimit, Refusal, sessionNotFound } from "../core/refusal.js";
import { outcomeOf } from "../core/session/commit.js";
import { decide } from "../core/session/deciding.js";
import type { WriteContext } from "../core/session/draft.js";
import { checkSource, forgotten, UNKNOWN_SOURCE } from "../core/session/form.js";
import { checkCreation, create, end } from "../core/session/lifecycle.js";
import { checkRead, findVariable, page, read, recount } from "../core/session/reading.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { utf8Length } from "../core/text.js";
import type { Watch } from "../core/watch.js";
import type { Store } from "../storage/store.js";
import { beginFollow } from "./following.js";
import type { Principal } from "./principal.js";
import { ABSENT, type LiveSession, Sessions } from "./sessions.js";
import { StoreError } from "./store-error.js";
import type { Notify, Subscription } from "./subscription.js";
import { beginWatch } from "./watching.js";

/** What an engine is made of. */
export interface EngineOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly limits: BridgeLimits;
  /** The TTL of sessions that name none, in milliseconds; 0: they never expire. */
  readonly defaultTtlMs: number;
  /** 128 fresh random bits in hex. */
  readonly newIncarnation: () => string;
  /** The version of this package, for Ping. */
  readonly version: string;
}

const MAX_PING_BYTES = 1_024;

export class Engine {
  readonly #options: EngineOptions;
  readonly #sessions: Sessions;
  #closing: Promise<void> | undefined;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#sessions = new Sessions(options.store, options.clock);
  }

  /** Takes in the sessions that the store holds. Once, before the first command. */
  async open(): Promise<void> {
    await this.#sessions.open();
  }

  /** The limits that this engine holds commands to. */
  get limits(): BridgeLimits {
    return this.#options.limits;
  }

  /** Settles with the reason when the store has failed, whoever has found out. Nothing is answered from then on. */
  get failure(): Promise<Error> {
    return this.#sessions.failed;
  }

  /**
   * Carries a command out. Throws a StoreError if the store has failed.
   *
   * @param principal who asks; everybody may do everything so far
   * @param deadline on the engine's clock; a command whose turn comes later is refused and not carried out
   */
  async dispatch(principal: Principal, command: Command, deadline?: number): Promise<Reply | Refusal> {
    if (this.#closing !== undefined) return shuttingDown();
    if ("sessionId" in command) {
      const fault = checkSessionId(command.sessionId);
      if (fault !== undefined) return fault;
      if (this.#sessions.asleep(command.sessionId)) await this.#sessions.wake(command.sessionId);
      if (this.#closing !== undefined) return shuttingDown();
    }
    this.#assertWell({ begun: false });
    if (deadline !== undefined && this.#options.clock.now() >= deadline) {
      return new Refusal(
        "DEADLINE_EXCEEDED",
        "the deadline had passed before the command's turn; nothing was done",
      );
    }
    const answer = await this.#begin(principal, command);
    return answer instanceof Refusal && "sessionId" in command
      ? answer.at({ sessionId: command.sessionId })
      : answer;
  }

  /**
   * Begins a watch (ORD-6), in its turn among commands. It tells what is durable, and begins when that from which it tells
   * is. Throws a StoreError if the store has failed.
   *
   * @param principal who asks, as with a command
   * @param notify called with the watch when there is something to take
   */
  watch(_principal: Principal, watch: Watch, notify: Notify): Promise<Subscription | Refusal> {
    const { store, limits } = this.#options;
    return this.#subscribe(watch.sessionId, () => beginWatch(this.#sessions, store, limits, watch, notify));
  }

  /**
   * Begins to tell the state of a session (ORD-6), as {@link Engine.watch} begins to tell its events. It tells what is
   * durable. Throws a StoreError if the store has failed.
   *
   * @param principal who asks, as with a command
   * @param notify called with the subscription when there is something to take
   */
  follow(
    _principal: Principal,
    follow: Follow,
    notify: Notify<StateUpdate>,
  ): Promise<Subscription<StateUpdate> | Refusal> {
    const { store, limits } = this.#options;
    return this.#subscribe(follow.sessionId, () =>
      beginFollow(this.#sessions, store, limits, follow, notify),
    );
  }

  async #subscribe<S>(sessionId: string, begin: () => Promise<S | Refusal>): Promise<S | Refusal> {
    if (this.#closing !== undefined) return shuttingDown();
    const fault = checkSessionId(sessionId);
    if (fault !== undefined) return fault;
    if (this.#sessions.asleep(sessionId)) await this.#sessions.wake(sessionId);
    if (this.#closing !== undefined) return shuttingDown();
    this.#assertWell({ begun: false });
    try {
      const begun = await begin();
      return begun instanceof Refusal ? begun.at({ sessionId }) : begun;
    } catch (error) {
      this.#assertWell({ begun: true });
      throw error;
    }
  }

  #assertWell(how: { readonly begun: boolean }): void {
    const { failure } = this.#sessions;
    if (failure !== undefined) throw new StoreError(failure, how);
  }

  /** Once the store has failed nothing is answered, whatever it is. */
  async #begin(principal: Principal, command: Command): Promise<Reply | Refusal> {
    try {
      const answer = await this.#carryOut(principal, command);
      this.#assertWell({ begun: true });
      return answer;
    } catch (error) {
      this.#assertWell({ begun: true });
      throw error;
    }
  }

  /** Refuses commands from now on, and releases the store. The second call waits for the first. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#sessions.close();
    await this.#options.store.close();
  }

  #carryOut(principal: Principal, command: Command): Reply | Refusal | Promise<Reply | Refusal> {
    switch (command.kind) {
      case "ping":
        return this.#ping(command.message);
      case "createSession":
        return this.#createSession(principal, command);
      case "listSessions":
        return this.#listSessions(command);
      case "getSession":
        return this.#onSession(command.sessionId, (session) => ({
          kind: "getSession",
          session: this.#sessions.describe(session),
        }));
      case "heartbeat":
        return this.#onSession(command.sessionId, ({ revision }) => ({
          kind: "heartbeat",
          revision,
        }));
      case "deleteSession":
        return this.#deleteSession(principal, command);
      case "getVariable":
      case "getVariables":
      case "listVariables":
        return this.#read(command);
      case "getVariableHistory":
        return this.#readHistory(command);
      default:
        return this.#write(principal, command);
    }
  }

  #ping(message: string): Reply | Refusal {
    if (utf8Length(message) > MAX_PING_BYTES)
      return invalidField("message", `takes more than ${MAX_PING_BYTES} bytes`);
    const { clock, version } = this.#options;
    return {
      kind: "ping",
      message,
      serverTimeMs: clock.wallTime(),
      serverVersion: version,
    };
  }

  #createSession(principal: Principal, command: CreateSession): Reply | Refusal | Promise<Reply | Refusal> {
    const fault = checkCreation(command);
    if (fault !== undefined) return fault;
    const existing = this.#sessions.find(command.sessionId);
    if (existing !== undefined) {
      const { requestId } = command;
      const earlier =
        requestId === undefined ? "new" : existing.awake.state.findRequest(principal.name, requestId);
      if (earlier === "forgotten") return this.#whenSettled(command.sessionId, existing, forgotten());
      // A retry of the request that created the session is told so again.
      return whenDurable(existing, this.#created(existing, earlier === 1));
    }
    const commit = create(command, this.#context(principal));
    if (commit instanceof Refusal) return this.#whenSettled(command.sessionId, undefined, commit);
    const session = this.#sessions.commit(undefined, commit);
    return whenDurable(session, this.#created(session, true));
  }

  #created(session: LiveSession, created: boolean): Reply {
    return {
      kind: "createSession",
      session: this.#sessions.describe(session),
      created,
    };
  }

  #deleteSession(
    principal: Principal,
    { kind, sessionId, source }: DeleteSession,
  ): Reply | Refusal | Promise<Reply | Refusal> {
    const fault = checkSource(source);
    if (fault !== undefined) return fault;
    const session = this.#sessions.find(sessionId);
    if (session === undefined) return this.#whenSettled(sessionId, undefined, sessionNotFound(sessionId));
    const by = { source: source ?? UNKNOWN_SOURCE, writer: principal.name };
    const commit = end(sessionId, session.revision, kind, by, this.#options.clock.wallTime());
    const reply: Reply = { kind, revision: this.#sessions.end(session, commit) };
    // It is absent now.
    return this.#whenSettled(sessionId, undefined, reply);
  }

  async #listSessions({ kind, glob, pageSize, pageToken }: ListSessions): Promise<Reply | Refusal> {
    const matches = glob === undefined ? undefined : compileGlob(glob);
    if (matches instanceof Refusal) return matches;
    this.#sessions.expireDue();
    const chosen = this.#sessions.ids().filter((id) => matches === undefined || matches(id));
    const { items, next } = page(chosen, (id) => id, listedBytes, pageSize, pageToken);
    const listed = items.map((id) => this.#listed(id));
    const [sessions] = await Promise.all([Promise.all(listed), this.#sessions.absences()]);
    return { kind, sessions: sessions.filter((session) => session !== undefined), nextPageToken: next };
  }

  /** What a list says of a session; undefined if it ended before that was known. */
  async #listed(sessionId: string): Promise<SessionInfo | undefined> {
    if (this.#sessions.asleep(sessionId)) await this.#sessions.wake(sessionId);
    const session = this.#sessions.peek(sessionId);
    if (session === undefined) return this.#sessions.absence(sessionId)?.then(() => undefined);
    // Looked at now: it may fall asleep again while others are woken.
    const info = this.#sessions.describe(session);
    await session.awake.durable;
    return info;
  }

  #read(command: VariableRead): Reply | Refusal | Promise<Reply | Refusal> {
    const fault = checkRead(command, this.#options.limits);
    if (fault !== undefined) return fault;
    return this.#onSession(command.sessionId, ({ revision, awake: { state } }) => {
      const outcome = read(state, command, this.#options.limits);
      return outcome instanceof Refusal ? outcome : answered(outcome, revision);
    });
  }

  /** Reads a history, which only the store has; what it answers is true at the revision that it was asked at. */
  #readHistory(command: GetVariableHistory): Reply | Refusal | Promise<Reply | Refusal> {
    const { store, limits } = this.#options;
    const { sessionId, identifier } = command;
    const fault = checkRead(command, limits);
    if (fault !== undefined) return fault;
    const session = this.#sessions.find(sessionId);
    if (session === undefined) return this.#whenSettled(sessionId, session, sessionNotFound(sessionId));
    const { revision, awake } = session;
    const { state, durable } = awake;
    const variable = findVariable(state, identifier);
    if (variable instanceof Refusal) return this.#whenSettled(sessionId, session, variable);
    // Asked for at once: what the store holds by now is what the state shows.
    const asked = store.history(sessionId, variable);
    return Promise.all([asked, durable]).then(([kept]) => {
      const outcome = recount(variable, kept, command, limits);
      return outcome instanceof Refusal ? outcome : answered(outcome, revision);
    });
  }

  #write(principal: Principal, command: VariableWrite): Reply | Refusal | Promise<Reply | Refusal> {
    const session = this.#sessions.find(command.sessionId);
    const decision = decide(session?.awake.state, command, this.#context(principal));
    if (decision instanceof Refusal) return this.#whenSettled(command.sessionId, session, decision);
    switch (decision.kind) {
      case "unchanged": {
        const reply = answered(decision.outcome, session?.revision ?? ABSENT);
        return this.#whenSettled(command.sessionId, session, reply);
      }
      case "repeated":
        return this.#repeat(command, decision.revision);
      case "commit": {
        const written = this.#sessions.commit(session, decision.commit);
        return whenDurable(written, answered(decision.outcome, written.revision));
      }
    }
  }

  /** Gives the answer of an earlier commit again. */
  async #repeat({ kind, sessionId }: VariableWrite, revision: number): Promise<Reply | Refusal> {
    // Asked for first: what is waited for may give others the time to end the session, and its commits with it.
    const kept = this.#options.store.commitsAfter(sessionId, revision - 1);
    await this.#sessions.find(sessionId)?.awake.durable;
    const records = await kept;
    const record = records === "compacted" ? undefined : records[0];
    if (record === undefined) return forgotten();
    const outcome = record.commit.kind === kind ? outcomeOf(record.commit) : undefined;
    if (outcome === undefined) return invalidField("request_id", "names another write, of another kind");
    return answered(outcome, {
      incarnation: record.commit.incarnation,
      number: revision,
      check: record.check,
    });
  }

  /** Does something with a session, or refuses because there is none. */
  #onSession(sessionId: string, act: (session: LiveSession) => Reply | Refusal) {
    const session = this.#sessions.find(sessionId);
    return this.#whenSettled(
      sessionId,
      session,
      session === undefined ? sessionNotFound(sessionId) : act(session),
    );
  }

  /** Answers when what the answer rests on is durable: the session's last commit, or the one that ended it. */
  #whenSettled(sessionId: string, session: LiveSession | undefined, answer: Reply | Refusal) {
    const settled = session === undefined ? this.#sessions.absence(sessionId) : session.awake.durable;
    return settled === undefined ? answer : settled.then(() => answer);
  }

  #context(principal: Principal): WriteContext {
    const { clock, limits, defaultTtlMs, newIncarnation } = this.#options;
    return {
      writer: principal.name,
      wallTimeMs: clock.wallTime(),
      limits,
      defaultTtlMs,
      newIncarnation,
      refuseSession: () => this.#refuseSession(),
    };
  }

  #refuseSession(): Refusal | undefined {
    const { maxSessions } = this.#options.limits;
    if (this.#sessions.count >= maxSessions) this.#sessions.expireDue();
    const needed = this.#sessions.count + 1;
    if (needed <= maxSessions) return undefined;
    const message = `the server would have ${needed} sessions, more than ${maxSessions}`;
    return overLimit("TOO_MANY_SESSIONS", message, "max-sessions", maxSessions, needed);
  }
}

/** At most the bytes that a session takes in a list, its metadata included. */
function listedBytes(sessionId: string): number {
  return 128 + utf8Length(sessionId) + MAX_METADATA_BYTES;
}

function answered(outcome: VariableOutcome, revision: Revision): Reply {
  return { ...outcome, revision };
}

function whenDurable(session: LiveSession, answer: Reply): Reply | Promise<Reply> {
  const { durable } = session.awake;
  return durable === undefined ? answer : durable.then(() => answer);
}

function shuttingDown(): Refusal {
  return new Refusal("SHUTTING_DOWN", "the bridge is shutting down; try again elsewhere or later");
}
