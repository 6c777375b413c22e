/**
 * Where commits are kept. The smallest interface that lets a bridge stop and go on: append commits, read a session
 * back, read commits again. Every store passes the same contract (`store.contract.ts`).
 */
import type { SessionState } from "../core/session/state.js";
import type { CommitRecord } from "./record.js";

/** A session read back from a store. */
export interface StoredSession {
  /** The fold of its commits. The caller owns it: the store never changes it again. */
  readonly state: SessionState;
  /** The check of its last commit. */
  readonly check: bigint;
  /** When its last commit was made, by the wall clock. */
  readonly lastCommitAtMs: number;
}

export interface Store {
  /** As in `--store`; for people. */
  readonly name: string;

  /**
   * Keeps commits, in this order. They may be of several sessions; each follows the last one of its session.
   * All of them or none survive a crash. Done when they are as durable as the store promises; undefined means at once.
   */
  append(records: readonly CommitRecord[]): Promise<void> | undefined;

  /** The session as of its last commit; undefined if there is none, or it was deleted or has expired. */
  load(sessionId: string): Promise<StoredSession | undefined>;

  /**
   * The commits of a session after a revision, oldest first, or "compacted" if they are no longer all there. A store
   * keeps at least the last 1,000 commits of a session, or 8 MiB of them, whichever is less.
   */
  commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted">;

  /** The ids of all sessions, in no order. */
  sessionIds(): Promise<readonly string[]>;

  /** Releases what the store holds. Appending after it is an error. */
  close(): Promise<void>;
}
