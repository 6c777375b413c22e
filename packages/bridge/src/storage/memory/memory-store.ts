/** Keeps commits in memory. Promises nothing beyond the life of the process, and loses nothing within it. */
import type { HistoryEntry } from "../../core/history.js";
import type { Commit } from "../../core/session/commit.js";
import { SessionState } from "../../core/session/state.js";
import { type CommitRecord, fromRecord } from "../record.js";
import type { SessionHead, SessionRest, Store, StoredSession } from "../store.js";
import { HistoryChanges, type Known, newestFirst, readHistory } from "../variable-history.js";

const KEPT_COMMITS = 1_000;
const KEPT_BYTES = 8 * 1_048_576;

/** The newest commits of a session, as bytes because they are small, and the state before them. */
interface Log {
  /** The fold of the commits that were let go; undefined while the first commit is still there. */
  base: SessionState | undefined;
  /** What is kept of the histories of its variables, by name, as bytes and as of the same commit. */
  histories: Map<string, Uint8Array>;
  /** The revision of the first record. */
  first: number;
  records: Uint8Array[];
  bytes: number;
}

export class MemoryStore implements Store {
  readonly name = "memory";
  readonly persistent: boolean = false;
  readonly failure = new Promise<never>(() => {});
  readonly #logs = new Map<string, Log>();
  #closed = false;

  /** Nothing was kept from before. */
  async heads(): Promise<readonly SessionHead[]> {
    return [];
  }

  append(records: readonly CommitRecord[]): undefined {
    if (this.#closed) throw new Error("the store is closed");
    for (const record of records) this.#keep(record);
  }

  #keep({ commit: { sessionId, kind, revision }, bytes }: CommitRecord): void {
    if (kind === "deleteSession" || kind === "expireSession") {
      this.#logs.delete(sessionId);
      return;
    }
    const log: Log = this.#logs.get(sessionId) ?? {
      base: undefined,
      histories: new Map(),
      first: revision,
      records: [],
      bytes: 0,
    };
    this.#logs.set(sessionId, log);
    log.records.push(bytes);
    log.bytes += bytes.length;
    // A quarter more may pile up, so that letting go of the old ones is rare and done in one go.
    if (log.records.length > 1.25 * KEPT_COMMITS || log.bytes > 1.25 * KEPT_BYTES) compact(log);
  }

  async load(sessionId: string): Promise<StoredSession | undefined> {
    const log = this.#logs.get(sessionId);
    const last = log?.records.at(-1);
    if (log === undefined || last === undefined) return undefined;
    const { check } = fromRecord(last);
    return {
      state: fold(log.base && SessionState.restore(log.base.snapshot()), log.records),
      check,
    };
  }

  async commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted"> {
    const log = this.#logs.get(sessionId);
    if (log === undefined) return [];
    return log.first > revision + 1
      ? "compacted"
      : log.records.slice(revision + 1 - log.first).map(fromRecord);
  }

  async history(sessionId: string, variable: Known): Promise<readonly HistoryEntry[]> {
    const log = this.#logs.get(sessionId);
    const kept = (): Uint8Array | undefined => log?.histories.get(variable.name);
    return newestFirst(readHistory(variable, kept, log?.records ?? []));
  }

  /** There is no later start that could ask for them. */
  keepRests(_rests: readonly SessionRest[], _elapsedMs: number): void {}

  async close(): Promise<void> {
    this.#closed = true;
    this.#logs.clear();
  }
}

/** Lets go of the oldest commits until at most the promised ones are left, but never of the last. */
function compact(log: Log): void {
  let count = 0;
  let { bytes } = log;
  while (
    count < log.records.length - 1 &&
    (log.records.length - count > KEPT_COMMITS || bytes > KEPT_BYTES)
  ) {
    bytes -= (log.records[count++] as Uint8Array).length;
  }
  const changes = new HistoryChanges();
  log.base = fold(log.base, log.records.slice(0, count), (commit) => changes.add(commit));
  for (const [name, history] of changes.over((name) => log.histories.get(name))) {
    if (history === undefined) log.histories.delete(name);
    else log.histories.set(name, history);
  }
  log.records = log.records.slice(count);
  log.first += count;
  log.bytes = bytes;
}

/** Applies records to a state, or makes a state of them. */
function fold(
  base: SessionState | undefined,
  records: readonly Uint8Array[],
  passed: (commit: Commit) => void = () => {},
): SessionState {
  let state = base;
  for (const bytes of records) {
    const { commit } = fromRecord(bytes);
    if (state === undefined) state = SessionState.create(commit);
    else state.apply(commit);
    passed(commit);
  }
  if (state === undefined) throw new Error("a session without commits");
  return state;
}
