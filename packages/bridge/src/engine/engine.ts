/**
 * The engine: `dispatch` is the only way to a session (DOOR-1). Doors translate into commands, the engine carries them
 * out one after the other, each decided at the tip and answered when what it was decided on is durable (ORD-5).
 */
import type { Clock } from "../core/clock.js";
import type {
  Command,
  CreateSession,
  DeleteSession,
  ListSessions,
  Reply,
  Revision,
  VariableOutcome,
  VariableRead,
  VariableWrite,
} from "../core/commands.js";
import { compileGlob } from "../core/glob.js";
import type { BridgeLimits } from "../core/limits.js";
import { checkSessionId } from "../core/names.js";
import { invalidField, overLimit, Refusal, sessionNotFound } from "../core/refusal.js";
import { outcomeOf } from "../core/session/commit.js";
import { decide } from "../core/session/deciding.js";
import type { WriteContext } from "../core/session/draft.js";
import { checkSource, forgotten, UNKNOWN_SOURCE } from "../core/session/form.js";
import { checkCreation, create, end } from "../core/session/lifecycle.js";
import { page, read } from "../core/session/reading.js";
import { utf8Length } from "../core/text.js";
import type { Store } from "../storage/store.js";
import type { Principal } from "./principal.js";
import { ABSENT, type LiveSession, LiveSessions } from "./sessions.js";

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
  readonly #sessions: LiveSessions;
  #closed = false;

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#sessions = new LiveSessions(options.store, options.clock);
  }

  /** The limits that this engine holds commands to. */
  get limits(): BridgeLimits {
    return this.#options.limits;
  }

  /**
   * Carries a command out.
   *
   * @param _principal who asks; everybody may do everything so far
   * @param deadline on the engine's clock; a command whose turn comes later is refused and not carried out
   */
  async dispatch(_principal: Principal, command: Command, deadline?: number): Promise<Reply | Refusal> {
    if (this.#closed)
      return new Refusal("SHUTTING_DOWN", "the bridge is shutting down; try again elsewhere or later");
    if ("sessionId" in command) {
      const fault = checkSessionId(command.sessionId);
      if (fault !== undefined) return fault;
      if (!this.#sessions.has(command.sessionId)) await this.#sessions.load(command.sessionId);
    }
    if (deadline !== undefined && this.#options.clock.now() >= deadline) {
      return new Refusal(
        "DEADLINE_EXCEEDED",
        "the deadline had passed before the command's turn; nothing was done",
      );
    }
    const answer = await this.#carryOut(command);
    return answer instanceof Refusal && "sessionId" in command
      ? answer.at({ sessionId: command.sessionId })
      : answer;
  }

  /** Refuses commands from now on, and releases the store. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#sessions.close();
    await this.#options.store.close();
  }

  #carryOut(command: Command): Reply | Refusal | Promise<Reply | Refusal> {
    switch (command.kind) {
      case "ping":
        return this.#ping(command.message);
      case "createSession":
        return this.#createSession(command);
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
        return this.#deleteSession(command);
      case "getVariable":
      case "getVariables":
      case "listVariables":
        return this.#read(command);
      default:
        return this.#write(command);
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

  #createSession(command: CreateSession): Reply | Refusal | Promise<Reply | Refusal> {
    const fault = checkCreation(command);
    if (fault !== undefined) return fault;
    const existing = this.#sessions.find(command.sessionId);
    if (existing !== undefined) {
      // A retry of the request that created the session is told so again.
      const created = command.requestId !== undefined && existing.state.findRequest(command.requestId) === 1;
      return whenDurable(existing, this.#created(existing, created));
    }
    const commit = create(command, this.#context());
    if (commit instanceof Refusal) return commit;
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

  #deleteSession({ kind, sessionId, source }: DeleteSession): Reply | Refusal | Promise<Reply | Refusal> {
    const fault = checkSource(source);
    if (fault !== undefined) return fault;
    return this.#onSession(sessionId, (session) => {
      const commit = end(session.state, kind, source ?? UNKNOWN_SOURCE, this.#options.clock.wallTime());
      return { kind, revision: this.#sessions.end(session, commit).revision };
    });
  }

  #listSessions({ kind, glob, pageSize, pageToken }: ListSessions): Reply | Refusal {
    const matches = glob === undefined ? undefined : compileGlob(glob);
    if (matches instanceof Refusal) return matches;
    const chosen = this.#sessions.all().filter(({ state }) => matches === undefined || matches(state.id));
    const { items, next } = page(chosen, ({ state }) => state.id, pageSize, pageToken);
    return {
      kind,
      sessions: items.map((session) => this.#sessions.describe(session)),
      nextPageToken: next,
    };
  }

  #read(command: VariableRead): Reply | Refusal | Promise<Reply | Refusal> {
    return this.#onSession(command.sessionId, ({ state, revision }) => {
      const outcome = read(state, command, this.#options.limits);
      return outcome instanceof Refusal ? outcome : answered(outcome, revision);
    });
  }

  #write(command: VariableWrite): Reply | Refusal | Promise<Reply | Refusal> {
    const session = this.#sessions.find(command.sessionId);
    const decision = decide(session?.state, command, this.#context());
    if (decision instanceof Refusal) return this.#whenSettled(command.sessionId, session, decision);
    switch (decision.kind) {
      case "unchanged": {
        const reply = answered(decision.outcome, session?.revision ?? ABSENT);
        return this.#whenSettled(command.sessionId, session, reply);
      }
      case "repeated":
        return this.#repeat(command.sessionId, decision.revision);
      case "commit": {
        const written = this.#sessions.commit(session, decision.commit);
        return whenDurable(written, answered(decision.outcome, written.revision));
      }
    }
  }

  /** Gives the answer of an earlier commit again. */
  async #repeat(sessionId: string, revision: number): Promise<Reply | Refusal> {
    await this.#sessions.find(sessionId)?.durable;
    const records = await this.#options.store.commitsAfter(sessionId, revision - 1);
    const record = records === "compacted" ? undefined : records[0];
    const outcome = record && outcomeOf(record.commit);
    if (record === undefined || outcome === undefined) return forgotten();
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
    const settled = session === undefined ? this.#sessions.absence(sessionId) : session.durable;
    return settled === undefined ? answer : settled.then(() => answer);
  }

  #context(): WriteContext {
    const { clock, limits, defaultTtlMs, newIncarnation } = this.#options;
    return {
      wallTimeMs: clock.wallTime(),
      limits,
      defaultTtlMs,
      newIncarnation,
      refuseSession: () => this.#refuseSession(),
    };
  }

  #refuseSession(): Refusal | undefined {
    const { maxSessions } = this.#options.limits;
    const needed = this.#sessions.count + 1;
    if (needed <= maxSessions) return undefined;
    const message = `the server would have ${needed} sessions, more than ${maxSessions}`;
    return overLimit("TOO_MANY_SESSIONS", message, "max-sessions", maxSessions, needed);
  }
}

function answered(outcome: VariableOutcome, revision: Revision): Reply {
  return { ...outcome, revision };
}

function whenDurable(session: LiveSession, answer: Reply): Reply | Promise<Reply> {
  return session.durable === undefined ? answer : session.durable.then(() => answer);
}
