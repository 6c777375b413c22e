/**
 * The life of one session as records, checked link by link: each record has to be whole, and to begin with the check of
 * the one before it. A break is damage, and damage is refused, never skipped.
 */
import type { Commit } from "../core/session/commit.js";
import { type SessionSnapshot, SessionState } from "../core/session/state.js";
import { commitCheck } from "./commit-check.js";
import { type CommitRecord, fromRecord, previousCheckOf } from "./record.js";
import { fromSnapshotBytes } from "./snapshot.js";
import type { StoredSession } from "./store.js";

/** A point that records follow. Revision 0 with check 0 is before the first; without a check it is taken on trust. */
export interface Point {
  readonly revision: number;
  readonly check?: bigint;
}

/** A record as it is kept, with its check beside it. */
interface Kept {
  readonly bytes: Uint8Array;
  readonly check: bigint;
}

/** Something kept is not what was written. */
export class DamageError extends Error {}

/** Reads records that follow a point, oldest first; throws DamageError where the chain breaks. */
export function readChain(after: Point, records: Iterable<Kept>): CommitRecord[] {
  return [...readLinks(after, records)];
}

/** The same one by one, so that whoever needs each only once does not hold them all. */
function* readLinks(after: Point, records: Iterable<Kept>): Iterable<CommitRecord> {
  let { revision, check } = after;
  for (const kept of records) {
    const record = readLink(kept);
    const { commit, previousCheck } = record;
    if (commit.revision !== revision + 1 || previousCheck !== (check ?? previousCheck)) {
      throw new DamageError(
        `commit ${commit.revision} of session ${commit.sessionId} does not follow ${revision}`,
      );
    }
    yield record;
    revision = commit.revision;
    check = record.check;
  }
}

/** Holds records against their checks and their places in the chain, and reads nothing else of them. */
export function checkLinks(after: bigint, records: Iterable<Kept>, last: bigint): void {
  let before = after;
  for (const { bytes, check } of records) {
    if (commitCheck(bytes) !== check) throw notAsWritten();
    if (previousCheckOf(bytes) !== before)
      throw new DamageError("a commit does not follow the one before it");
    before = check;
  }
  if (before !== last) throw new DamageError("the last commits are missing");
}

/** Which session it is, and where it stands. */
export interface Standing {
  readonly sessionId: string;
  readonly incarnation: string;
  readonly ttlMs: number;
  readonly revision: number;
  readonly check: bigint;
}

/** All that is kept of a session: a snapshot, unless the records begin with the first, and what follows it. */
export interface KeptHistory {
  /** What it has to lead to. */
  readonly standing: Standing;
  readonly snapshot: Uint8Array | undefined;
  /** The revision of the snapshot; 0 without one. */
  readonly snapshotRevision: number;
  /** The check of the snapshot's commit; 0 without one. */
  readonly snapshotCheck: bigint;
  /** Oldest first. */
  readonly records: readonly Kept[];
}

/**
 * The state that a history leads to, with the check of its last commit; throws DamageError where it is broken.
 *
 * @param passed told of each commit that follows the snapshot
 */
export function restore(history: KeptHistory, passed: (commit: Commit) => void = () => {}): StoredSession {
  const { standing, snapshot, snapshotRevision: revision, snapshotCheck } = history;
  let state = snapshot === undefined ? undefined : SessionState.restore(readSnapshot(snapshot));
  let check = snapshotCheck;
  for (const { commit, check: reached } of readLinks({ revision, check }, history.records)) {
    check = reached;
    if (state === undefined) state = SessionState.create(commit);
    else state.apply(commit);
    passed(commit);
  }
  const { sessionId } = standing;
  if (state === undefined) throw new DamageError(`session ${sessionId} has neither a snapshot nor commits`);
  if (!leadsTo(standing, state, check)) {
    throw new DamageError(
      `session ${sessionId} ends at commit ${state.revision}, not at ${standing.revision}`,
    );
  }
  return { state, check };
}

function leadsTo(standing: Standing, state: SessionState, check: bigint): boolean {
  return (
    standing.sessionId === state.id &&
    standing.incarnation === state.incarnation &&
    standing.ttlMs === state.ttlMs &&
    standing.revision === state.revision &&
    standing.check === check
  );
}

function readSnapshot(bytes: Uint8Array): SessionSnapshot {
  try {
    return fromSnapshotBytes(bytes);
  } catch (cause) {
    throw new DamageError("a session's snapshot cannot be read", { cause });
  }
}

function readLink({ bytes, check }: Kept) {
  if (commitCheck(bytes) !== check) throw notAsWritten();
  try {
    return fromRecord(bytes);
  } catch (cause) {
    throw new DamageError("a commit's record cannot be read", { cause });
  }
}

function notAsWritten(): DamageError {
  return new DamageError("a commit's record is not what was written");
}
