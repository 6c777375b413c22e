/**
 * Where commits are kept. The smallest interface that lets a bridge stop and go on: append commits, read sessions back,
 * read commits again, and what variables were. Every store passes the same contract (`store.contract.ts`).
 */
import type { HistoryEntry } from "../core/history.js";
import type { SessionState } from "../core/session/state.js";
import type { Variable } from "../core/variable.js";
import type { CommitRecord } from "./record.js";

/** A session read back from a store. */
export interface StoredSession {
  /** The fold of its commits. The caller owns it: the store never changes it again. */
  readonly state: SessionState;
  /** The check of its last commit. */
  readonly check: bigint;
}

/** What a store knows of a session without reading it. */
export interface SessionHead {
  readonly sessionId: string;
  readonly incarnation: string;
  /** Of its last commit, and the check of that. */
  readonly revision: number;
  readonly check: bigint;
  readonly ttlMs: number;
  /** The idle time it had left when that was kept last, in milliseconds; of no meaning if it never expires. */
  readonly restMs: number;
}

/** How much idle time a session has left. */
export type SessionRest = Pick<SessionHead, "sessionId" | "incarnation" | "restMs">;

export interface Store {
  /** As in `--store`; for people. */
  readonly name: string;

  /** True if sessions outlive the process. Then a bridge need not keep idle ones in memory. */
  readonly persistent: boolean;

  /**
   * Settles with the reason when the store can no longer keep its promise. From then on it answers nothing: what waits for
   * it, and what is asked of it, rejects with the reason.
   */
  readonly failure: Promise<Error>;

  /** The sessions that it holds, in no order. Asked once, before anything else. */
  heads(): Promise<readonly SessionHead[]>;

  /**
   * Keeps commits, in this order. They may be of several sessions; each follows the last one of its session. Done when they
   * are as durable as the store promises; undefined means at once. After a crash every commit is there whole or not at all,
   * and none without those before it.
   */
  append(records: readonly CommitRecord[]): Promise<void> | undefined;

  /** The session as of its last commit; undefined if there is none, or it was deleted or has expired. */
  load(sessionId: string): Promise<StoredSession | undefined>;

  /**
   * The commits of a session after a revision, oldest first, or "compacted" if they are no longer all there. A store
   * keeps at least the last 1,000 commits of a session, or 8 MiB of them, whichever is less.
   */
  commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted">;

  /**
   * What is kept of a variable's history, newest first and never without the standing value (VAL-20). The variable is
   * given as the last commit that was appended left it: the store has to come to that, or what it keeps is damaged.
   */
  history(
    sessionId: string,
    variable: Pick<Variable, "id" | "name" | "version">,
  ): Promise<readonly HistoryEntry[]>;

  /**
   * Keeps how much idle time sessions have left, some time soon: of those that were used it is told, and all others have
   * `elapsedMs` less than they had.
   */
  keepRests(rests: readonly SessionRest[], elapsedMs: number): void;

  /** Keeps what was appended, and releases what the store holds. Using it afterwards is an error. */
  close(): Promise<void>;
}
