/**
 * The sessions of this server: where each stands, when it was used last, and the states of those that are awake. Found by
 * `find`, changed by `commit` and by nothing else. A commit takes effect here at once and is answered when the store has
 * it (ORD-5).
 *
 * A session that is not used for long falls asleep: its state is then in the store only, until it is asked for again.
 */
import type { Clock } from "../core/clock.js";
import type { Revision, SessionInfo } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import type { Commit } from "../core/session/commit.js";
import { eventOf } from "../core/session/event.js";
import { end } from "../core/session/lifecycle.js";
import { SessionState } from "../core/session/state.js";
import { type CommitRecord, RecordMaker } from "../storage/record.js";
import type { Store, StoredSession } from "../storage/store.js";
import { ExpirySchedule, type Lifetime } from "./expiry.js";
import { Hub } from "./hub.js";
import { StoreError } from "./store-error.js";

/** The revision of a session that does not exist. */
export const ABSENT: Revision = Object.freeze({ incarnation: "", number: 0, check: 0n });

/** How often idle times are kept, and idle sessions put to sleep. */
const UPKEEP_MS = 60_000;
/** A session sleeps when it has not been used for this long. */
const IDLE_MS = 300_000;
/** What a session may live longer after a restart than it would have: the time since its idle time was kept (ORD-12). */
const REST_SLACK_MS = UPKEEP_MS;

/** Who writes the commit that ends a session of itself. */
const EXPIRY = Object.freeze({ source: "expiry", writer: "bridge" });

/** A session, awake or asleep. */
interface Session extends Lifetime {
  readonly ttlMs: number;
  /** Where it stands. */
  revision: Revision;
  /** On the clock that never jumps. */
  lastAccess: number;
  lastAccessWall: number;
  /** True if it was created or used since idle times were kept last. */
  touched: boolean;
  /** What only a session that is awake has. */
  awake: Awake | undefined;
}

interface Awake {
  readonly state: SessionState;
  /** Pending until the store has the last commit; undefined if it has. */
  durable: Promise<void> | undefined;
}

/** A session that is awake. */
export type LiveSession = Session & { awake: Awake };

export class Sessions {
  /** Who is told of commits. */
  readonly hub = new Hub((sessionId) => this.#unused(sessionId));
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #expiry: ExpirySchedule;
  readonly #records = new RecordMaker();
  readonly #sessions = new Map<string, Session>();
  readonly #waking = new Map<string, Promise<void>>();
  /** Ended sessions whose last commit the store does not have yet. */
  readonly #ending = new Map<string, Promise<void>>();
  /** Settles when what is in memory and what is stored no longer agree, or nobody can tell. */
  readonly failed: Promise<Error>;
  #failure: Error | undefined;
  #tellFailure: (error: Error) => void = () => {};
  readonly #fail = (error: unknown): void => {
    if (this.#failure !== undefined) return;
    const cause = error instanceof StoreError ? error.cause : error;
    this.#failure = cause instanceof Error ? cause : new Error(String(cause));
    this.#tellFailure(this.#failure);
    this.hub.end(new Refusal("SHUTTING_DOWN", "the store of the bridge has failed"));
  };
  #stopUpkeep: () => void = () => {};
  #restsKeptAt: number;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
    this.#restsKeptAt = clock.now();
    this.failed = new Promise((resolve) => {
      this.#tellFailure = resolve;
    });
    void store.failure.then(this.#fail);
    this.#expiry = new ExpirySchedule(clock, {
      dueTime: (lifetime) => this.#dueTime(lifetime),
      expire: ({ sessionId }) => this.#expireUnasked(sessionId),
    });
  }

  /** Takes in the sessions that the store holds; they sleep. */
  async open(): Promise<void> {
    for (const {
      sessionId,
      incarnation,
      revision: number,
      check,
      ttlMs,
      restMs,
    } of await this.#store.heads()) {
      const revision = { incarnation, number, check };
      this.#admit({ sessionId, ttlMs, revision, touched: false, awake: undefined }, restMs + REST_SLACK_MS);
    }
    // Sessions of a memory store have no later start, and nowhere else to sleep.
    if (this.#store.persistent) this.#upkeepLater();
  }

  /** How many sessions there are. One that is due counts until it is made to end. */
  get count(): number {
    return this.#sessions.size;
  }

  /** The ids of all sessions that have not expired, in no order. Touches none. */
  ids(): string[] {
    const now = this.#clock.now();
    return [...this.#sessions.values()]
      .filter((session) => !this.#isDue(session, now))
      .map(({ sessionId }) => sessionId);
  }

  /** True if the session has to be woken before `find` can find it. One that is due need not be: it ends in its sleep. */
  asleep(sessionId: string): boolean {
    const session = this.#sessions.get(sessionId);
    return session !== undefined && session.awake === undefined && !this.#isDue(session, this.#clock.now());
  }

  /** Reads a sleeping session back; rejects with a StoreError. */
  async wake(sessionId: string): Promise<void> {
    const waking = this.#waking.get(sessionId) ?? this.#wake(sessionId);
    this.#waking.set(sessionId, waking);
    await waking;
  }

  async #wake(sessionId: string): Promise<void> {
    try {
      const stored = await this.#load(sessionId);
      const session = this.#sessions.get(sessionId);
      if (session === undefined || session.awake !== undefined) return;
      // Not an absent session, which would be created anew over the old one.
      if (stored === undefined) throw this.#lost(sessionId);
      session.awake = { state: stored.state, durable: undefined };
    } finally {
      this.#waking.delete(sessionId);
    }
  }

  async #load(sessionId: string): Promise<StoredSession | undefined> {
    try {
      return await this.#store.load(sessionId);
    } catch (cause) {
      throw new StoreError(cause, { begun: false });
    }
  }

  #lost(sessionId: string): StoreError {
    const error = new Error(`the store has lost session ${sessionId}`);
    this.#fail(error);
    return new StoreError(error, { begun: false });
  }

  /** The session, touched unless told otherwise; undefined if it does not exist. One that is due expires here and now. */
  find(sessionId: string, { passive = false } = {}): LiveSession | undefined {
    const session = this.#sessions.get(sessionId);
    if (session === undefined) return undefined;
    if (this.#isDue(session, this.#clock.now())) {
      this.#expire(session);
      return undefined;
    }
    if (!isAwake(session)) throw new Error(`session ${sessionId} sleeps`);
    if (!passive) this.#touch(session);
    return session;
  }

  #touch(session: Session): void {
    session.lastAccess = this.#clock.now();
    session.lastAccessWall = this.#clock.wallTime();
    session.touched = true;
  }

  /** Nobody watches it any more; until now it was in use. */
  #unused(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session !== undefined) this.#touch(session);
  }

  /** A session that is watched is in use all the time (ORD-12). */
  #isDue({ sessionId, ttlMs, lastAccess }: Session, now: number): boolean {
    return ttlMs > 0 && now - lastAccess >= ttlMs && !this.hub.isUsed(sessionId);
  }

  /** The session if it is awake, not touched; it may be due. */
  peek(sessionId: string): LiveSession | undefined {
    const session = this.#sessions.get(sessionId);
    return session !== undefined && isAwake(session) ? session : undefined;
  }

  /** Ends all sessions that are due, without waiting for their turn. */
  expireDue(): void {
    this.#expiry.sweep();
  }

  /** What {@link Sessions.failed} has settled with; undefined if it has not. What is in memory is then not to be shown. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  /** When what `find` did not find is gone for good, so that its absence may be told; undefined: already. */
  absence(sessionId: string): Promise<void> | undefined {
    return this.#ending.get(sessionId);
  }

  /** When all that has ended so far is gone for good, so that it may be left out. */
  async absences(): Promise<void> {
    await Promise.all(this.#ending.values());
  }

  /** Carries a commit out and hands it to the store. `session` is undefined if the commit creates it. */
  commit(session: LiveSession | undefined, commit: Commit): LiveSession {
    const record = this.#records.make(commit, session?.revision.check ?? 0n);
    const former = session?.awake.state.variables;
    const event = this.hub.isWatched(commit.sessionId)
      ? eventOf(commit, revisionOf(record), (name) => former?.get(name))
      : undefined;
    // Applied first: with a commit that cannot be applied its session could not be read again.
    const { state, durable } = this.#orFail(() => ({
      state: applied(session?.awake.state, commit),
      durable: this.#store.append([record]),
    }));
    // Before anybody else can wait for it: a commit is told before it is answered (ORD-2).
    if (event !== undefined) this.hub.offer(event, durable);
    const changed = session ?? this.#create(state, revisionOf(record));
    changed.revision = revisionOf(record);
    changed.awake.durable = durable;
    durable?.then(() => {
      if (changed.awake?.durable === durable) changed.awake.durable = undefined;
    }, this.#fail);
    return changed;
  }

  /** Carries out the commit that ends a session, which may sleep: nothing of its state is needed. */
  end(session: Session, commit: Commit): Revision {
    const { sessionId, revision } = session;
    const record = this.#records.make(commit, revision.check);
    const durable = this.#orFail(() => this.#store.append([record]));
    if (this.hub.isWatched(sessionId))
      this.hub.offer(
        eventOf(commit, revisionOf(record), () => undefined),
        durable,
      );
    this.#sessions.delete(sessionId);
    if (durable !== undefined) this.#awaitEnd(sessionId, durable);
    return revisionOf(record);
  }

  /** What fails here fails for good: memory is not what is stored, and nobody can tell what is. */
  #orFail<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }

  #awaitEnd(sessionId: string, gone: Promise<void>): void {
    this.#ending.set(sessionId, gone);
    gone.then(() => {
      if (this.#ending.get(sessionId) === gone) this.#ending.delete(sessionId);
    }, this.#fail);
  }

  /** What a session is, apart from its variables. */
  describe({ revision, lastAccessWall, awake: { state } }: LiveSession): SessionInfo {
    const { id, ttlMs, metadata, createdAtMs } = state;
    const variableCount = state.variables.size;
    const lastAccessedAtMs = this.hub.isUsed(id) ? this.#clock.wallTime() : lastAccessWall;
    return { id, revision, ttlMs, metadata, createdAtMs, lastAccessedAtMs, variableCount };
  }

  /** Ends watches, stops expiring sessions, and keeps their idle times a last time. */
  close(): void {
    this.hub.end(new Refusal("SHUTTING_DOWN", "the bridge is shutting down; resume elsewhere or later"));
    this.#expiry.close();
    this.#stopUpkeep();
    this.#keepRests();
  }

  #create(state: SessionState, revision: Revision): LiveSession {
    const { id: sessionId, ttlMs } = state;
    const awake: Awake = { state, durable: undefined };
    return this.#admit({ sessionId, ttlMs, revision, touched: true, awake }, ttlMs);
  }

  #admit<A extends Awake | undefined>(
    {
      sessionId,
      ttlMs,
      revision,
      touched,
      awake,
    }: Pick<Session, "sessionId" | "ttlMs" | "revision" | "touched"> & { awake: A },
    restMs: number,
  ): Session & { awake: A } {
    const { incarnation } = revision;
    const now = this.#clock.now();
    // Of one that never expires no use is stored, so it is taken to be used now.
    const lastAccess = ttlMs === 0 ? now : now - ttlMs + Math.min(ttlMs, restMs);
    const lastAccessWall = this.#clock.wallTime() - (now - lastAccess);
    const session = { sessionId, incarnation, ttlMs, revision, lastAccess, lastAccessWall, touched, awake };
    this.#sessions.set(sessionId, session);
    if (ttlMs > 0) this.#expiry.add({ sessionId, incarnation }, lastAccess + ttlMs);
    return session;
  }

  #dueTime({ sessionId, incarnation }: Lifetime): number | undefined {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.incarnation !== incarnation) return undefined;
    if (this.hub.isUsed(sessionId)) this.#touch(session);
    return session.lastAccess + session.ttlMs;
  }

  /** Expires a session when its time has come and nobody asked. A store that fails is noted; there is nobody to tell. */
  #expireUnasked(sessionId: string): void {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || this.#failure !== undefined || !this.#isDue(session, this.#clock.now()))
      return;
    try {
      this.#expire(session);
    } catch (error) {
      this.#fail(error);
    }
  }

  #expire(session: Session): void {
    const { sessionId, revision } = session;
    this.end(session, end(sessionId, revision, "expireSession", EXPIRY, this.#clock.wallTime()));
  }

  #upkeepLater(): void {
    this.#stopUpkeep = this.#clock.setTimer(UPKEEP_MS, () => {
      this.#keepRests();
      this.#sleepIdle();
      this.#upkeepLater();
    });
  }

  /** Keeps how much idle time is left to the sessions that were used since the last time, and that it passed for all. */
  #keepRests(): void {
    const now = this.#clock.now();
    const rests: { sessionId: string; incarnation: string; restMs: number }[] = [];
    let anyExpires = false;
    for (const session of this.#sessions.values()) {
      if (this.hub.isUsed(session.sessionId)) this.#touch(session);
      const { sessionId, incarnation, ttlMs, lastAccess, touched } = session;
      session.touched = false;
      if (ttlMs === 0) continue;
      anyExpires = true;
      if (touched) rests.push({ sessionId, incarnation, restMs: ttlMs - (now - lastAccess) });
    }
    if (anyExpires) this.#store.keepRests(rests, now - this.#restsKeptAt);
    this.#restsKeptAt = now;
  }

  /** Puts to sleep what has not been used for long and can be read back. */
  #sleepIdle(): void {
    const since = this.#clock.now() - IDLE_MS;
    for (const session of this.#sessions.values()) {
      if (session.lastAccess < since && session.awake?.durable === undefined) session.awake = undefined;
    }
  }
}

function isAwake(session: Session): session is LiveSession {
  return session.awake !== undefined;
}

/** The state with a commit applied; the state that it creates if there was none. */
function applied(state: SessionState | undefined, commit: Commit): SessionState {
  if (state === undefined) return SessionState.create(commit);
  state.apply(commit);
  return state;
}

/** Where a session stands after a commit. */
export function revisionOf({ commit: { incarnation, revision: number }, check }: CommitRecord): Revision {
  return { incarnation, number, check };
}
