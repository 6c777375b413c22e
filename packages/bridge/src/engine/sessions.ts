/**
 * The sessions that are in memory: their states, where each stands, when it was used last. Found by `find`, changed by
 * `commit` and by nothing else. A commit takes effect here at once and is answered when the store has it (ORD-5).
 */
import type { Clock } from "../core/clock.js";
import type { Revision, SessionInfo } from "../core/commands.js";
import type { Commit } from "../core/session/commit.js";
import { end } from "../core/session/lifecycle.js";
import { SessionState } from "../core/session/state.js";
import { type CommitRecord, RecordMaker } from "../storage/record.js";
import type { Store } from "../storage/store.js";
import { ExpirySchedule, type Lifetime } from "./expiry.js";

/** The revision of a session that does not exist. */
export const ABSENT: Revision = Object.freeze({
  incarnation: "",
  number: 0,
  check: 0n,
});

/** Who writes the commit that ends a session of itself. */
const EXPIRY = Object.freeze({ source: "expiry", writer: "bridge" });

/** A session in memory. */
export interface LiveSession {
  readonly state: SessionState;
  revision: Revision;
  /** On the clock that never jumps. */
  lastAccess: number;
  lastAccessWall: number;
  /** Pending until the store has the last commit; undefined if it has. */
  durable: Promise<void> | undefined;
}

export class LiveSessions {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #expiry: ExpirySchedule;
  readonly #records = new RecordMaker();
  readonly #live = new Map<string, LiveSession>();
  #failure: unknown;
  readonly #loading = new Map<string, Promise<void>>();
  /** Ended sessions whose last commit the store does not have yet. */
  readonly #ending = new Map<string, Promise<void>>();

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#expiry = new ExpirySchedule(clock, {
      dueTime: (lifetime) => this.#dueTime(lifetime),
      expire: ({ sessionId }) => this.#expireUnasked(sessionId),
    });
  }

  get count(): number {
    return this.#live.size;
  }

  /** All sessions that have not expired, in no order. Touches none. */
  all(): LiveSession[] {
    const now = this.#clock.now();
    return [...this.#live.values()].filter((session) => !isDue(session, now));
  }

  /** True if the session is in memory, so that there is nothing to load. */
  has(sessionId: string): boolean {
    return this.#live.has(sessionId);
  }

  /** Brings a session into memory if the store has it. After it, `find` tells whether it exists. */
  async load(sessionId: string): Promise<void> {
    const loading = this.#loading.get(sessionId) ?? this.#load(sessionId);
    this.#loading.set(sessionId, loading);
    await loading;
  }

  async #load(sessionId: string): Promise<void> {
    try {
      await this.#ending.get(sessionId);
      const stored = await this.#store.load(sessionId);
      if (stored !== undefined && !this.#live.has(sessionId))
        this.#admit(stored.state, stored.check, undefined);
    } finally {
      this.#loading.delete(sessionId);
    }
  }

  /** The session, touched; undefined if it does not exist. One that is due expires here and now. */
  find(sessionId: string): LiveSession | undefined {
    const session = this.#live.get(sessionId);
    if (session === undefined) return undefined;
    if (isDue(session, this.#clock.now())) {
      this.#expire(session);
      return undefined;
    }
    this.#touch(session);
    return session;
  }

  /** Ends all sessions that are due, without waiting for their turn. */
  expireDue(): void {
    this.#expiry.sweep();
  }

  /** Why the store no longer keeps commits; undefined while it does. What is in memory is then not to be shown. */
  get failure(): unknown {
    return this.#failure;
  }

  /** When what `find` did not find is gone for good, so that its absence may be told; undefined: already. */
  absence(sessionId: string): Promise<void> | undefined {
    return this.#ending.get(sessionId);
  }

  /** Carries a commit out and hands it to the store. `session` is undefined if the commit creates it. */
  commit(session: LiveSession | undefined, commit: Commit): LiveSession {
    const record = this.#records.make(commit, session?.revision.check ?? 0n);
    const durable = this.#append(record);
    session?.state.apply(commit);
    if (session === undefined) return this.#admit(SessionState.create(commit), record.check, durable);
    session.revision = {
      incarnation: commit.incarnation,
      number: commit.revision,
      check: record.check,
    };
    this.#follow(session, durable);
    return session;
  }

  /** A store that fails once has failed for good: nobody can tell what it holds. */
  #append(record: CommitRecord): Promise<void> | undefined {
    try {
      return this.#store.append([record]);
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  /** Carries out the commit that ends a session. */
  end(session: LiveSession, commit: Commit): LiveSession {
    const { id } = session.state;
    this.commit(session, commit);
    this.#live.delete(id);
    const { durable } = session;
    if (durable !== undefined) {
      const ended = durable.finally(() => {
        if (this.#ending.get(id) === ended) this.#ending.delete(id);
      });
      this.#ending.set(id, ended);
      ended.catch(() => {});
    }
    return session;
  }

  /** What a session is, apart from its variables. */
  describe({ state, revision, lastAccessWall }: LiveSession): SessionInfo {
    const { id, ttlMs, metadata, createdAtMs } = state;
    const variableCount = state.variables.size;
    return {
      id,
      revision,
      ttlMs,
      metadata,
      createdAtMs,
      lastAccessedAtMs: lastAccessWall,
      variableCount,
    };
  }

  /** Stops expiring sessions. */
  close(): void {
    this.#expiry.close();
  }

  #admit(state: SessionState, check: bigint, durable: Promise<void> | undefined): LiveSession {
    const session: LiveSession = {
      state,
      revision: {
        incarnation: state.incarnation,
        number: state.revision,
        check,
      },
      lastAccess: this.#clock.now(),
      lastAccessWall: this.#clock.wallTime(),
      durable: undefined,
    };
    this.#follow(session, durable);
    this.#live.set(state.id, session);
    if (state.ttlMs > 0) {
      const { id: sessionId, incarnation } = state;
      this.#expiry.add({ sessionId, incarnation }, session.lastAccess + state.ttlMs);
    }
    return session;
  }

  /** Remembers what answers have to wait for. */
  #follow(session: LiveSession, durable: Promise<void> | undefined): void {
    session.durable = durable;
    durable?.then(
      () => {
        if (session.durable === durable) session.durable = undefined;
      },
      (error: unknown) => {
        this.#failure = error;
      },
    );
  }

  #touch(session: LiveSession): void {
    session.lastAccess = this.#clock.now();
    session.lastAccessWall = this.#clock.wallTime();
  }

  #dueTime({ sessionId, incarnation }: Lifetime): number | undefined {
    const session = this.#live.get(sessionId);
    if (session === undefined || session.state.incarnation !== incarnation) return undefined;
    return session.lastAccess + session.state.ttlMs;
  }

  /** Expires a session when its time has come and nobody asked. A store that fails is noted; there is nobody to tell. */
  #expireUnasked(sessionId: string): void {
    const session = this.#live.get(sessionId);
    if (session === undefined || this.#failure !== undefined) return;
    try {
      this.#expire(session);
    } catch (error) {
      this.#failure ??= error;
    }
  }

  #expire(session: LiveSession): void {
    this.end(session, end(session.state, "expireSession", EXPIRY, this.#clock.wallTime()));
  }
}

function isDue({ state, lastAccess }: LiveSession, now: number): boolean {
  return state.ttlMs > 0 && now - lastAccess >= state.ttlMs;
}
