/**
 * How stores keep the histories of variables (VAL-20): as bytes beside a snapshot, true at its revision, and in the
 * commits that follow it. So an append writes nothing for them, and to read one is to lay the commits over the bytes.
 */
import { type HistoryEntry, KEPT_VALUES, keepNewest, valueSize } from "../core/history.js";
import { creationOf } from "../core/names.js";
import type { Change, Commit } from "../core/session/commit.js";
import type { Variable } from "../core/variable.js";
import { ByteWriter } from "./bytes.js";
import { DamageError } from "./history.js";
import { fromEntryBytes, packHistory, toEntryBytes, unpackHistory, valueSizeOf } from "./history-bytes.js";
import { fromRecord } from "./record.js";

/** A variable as the last commit of its session left it. */
export type Known = Pick<Variable, "id" | "name" | "version">;

/** Gives the bytes of a history as of the point where commits begin; undefined if there was none. */
type Kept = () => Uint8Array | undefined;

/**
 * The kept history of a variable, as bytes: what was kept of it when the first of these records was yet to come, and what
 * the records made of it. Throws DamageError where they do not fit.
 */
export function readHistory(variable: Known, kept: Kept, records: readonly Uint8Array[]): Uint8Array {
  const { id, version } = variable;
  const growth = new Growth(id);
  for (const { made, commit } of newestSets(variable, records)) growth.add(made, commit);
  return growth.over(kept, version);
}

/** The entries of a history, newest first. */
export function newestFirst(history: Uint8Array): HistoryEntry[] {
  return unpackHistory(history).entries.map(fromEntryBytes).reverse();
}

/** What the newest records made of a variable, oldest first. The others are not even decoded. */
function newestSets({ id, version }: Known, records: readonly Uint8Array[]) {
  // Whatever is made of a variable has its id in it.
  const mark = Buffer.from(id);
  const found: { made: Made; commit: Commit }[] = [];
  for (let i = records.length - 1; i >= 0; i--) {
    const bytes = records[i] as Uint8Array;
    if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(mark)) continue;
    const { commit } = fromRecord(bytes);
    const made = commit.changes.map(madeBy).find((each) => each?.id === id);
    if (made === undefined) continue;
    found.push({ made, commit });
    if (made.version <= version - KEPT_VALUES) break;
  }
  return found.reverse();
}

/** What commits make of the histories of a session's variables. */
export class HistoryChanges {
  readonly #changed = new Map<string, Growth | undefined>();

  /** Takes in the next commit. */
  add(commit: Commit): void {
    for (const change of commit.changes) {
      const made = madeBy(change);
      if (made === undefined) this.#changed.set((change as Dropped).name, undefined);
      else this.#growth(made).add(made, commit);
    }
  }

  /**
   * Each variable that changed, by name, and the bytes of its history from now on; undefined: it is gone.
   *
   * @param kept the bytes as of the point where the commits began
   */
  *over(
    kept: (name: string) => Uint8Array | undefined,
  ): Iterable<[name: string, history: Uint8Array | undefined]> {
    for (const [name, growth] of this.#changed) yield [name, growth?.over(() => kept(name))];
  }

  #growth({ id, name }: Made): Growth {
    const growing = this.#changed.get(name);
    if (growing?.id === id) return growing;
    const growth = new Growth(id);
    this.#changed.set(name, growth);
    return growth;
  }
}

/** A variable as a change leaves it. */
type Made = Pick<Variable, "id" | "name" | "type" | "version" | "value">;
type Dropped = Extract<Change, { kind: "drop" }>;

function madeBy(change: Change): Made | undefined {
  if (change.kind === "drop") return undefined;
  return change.kind === "define" ? change.variable : change;
}

/** What commits add to the history of one variable. */
class Growth {
  readonly id: string;
  #entries: HistoryEntry[] = [];
  /** True if there was nothing before these entries, or nothing of it is kept any more. */
  #whole = false;

  constructor(id: string) {
    this.id = id;
  }

  add({ version, type, value }: Made, { revision, wallTimeMs, source, metadata }: Commit): void {
    if (this.#entries.length === 0) this.#whole = revision === creationOf(this.id);
    this.#lay(this.#entries, { version, type, value, revision, wallTimeMs, source, metadata });
    if (this.#entries.length < 2 * KEPT_VALUES) return;
    this.#entries = keepNewest(this.#entries, valueSize);
    this.#whole = true;
  }

  /** The kept history with these entries, which has to end with that version if one is given. */
  over(kept: Kept, version?: number): Uint8Array {
    const whole = this.#whole || this.#entries.length > KEPT_VALUES;
    const before = whole ? [] : this.#read(kept());
    const standing = before.pop();
    const entries = standing === undefined ? [] : [readable(() => fromEntryBytes(standing))];
    for (const entry of this.#entries) this.#lay(entries, entry);
    const last = entries.at(-1)?.version;
    if (last !== (version ?? last))
      throw new DamageError(`the history of ${this.id} ends at version ${last}, not at ${version}`);
    const out = new ByteWriter();
    const all = [...before, ...entries.map((entry) => toEntryBytes(out, entry))];
    return packHistory(this.id, keepNewest(all, valueSizeOf));
  }

  /** Adds an entry. Without a new version it is the standing one, defined anew: set when it was, of the type it has now. */
  #lay(entries: HistoryEntry[], entry: HistoryEntry): void {
    const last = entries.at(-1);
    if (last === undefined || entry.version === last.version + 1) entries.push(entry);
    else if (entry.version === last.version)
      entries[entries.length - 1] = { ...last, type: entry.type, value: entry.value };
    else throw new DamageError(`version ${entry.version} of ${this.id} does not follow ${last.version}`);
  }

  #read(bytes: Uint8Array | undefined): Uint8Array[] {
    if (bytes === undefined) throw new DamageError(`the history of ${this.id} is missing`);
    const { id, entries } = readable(() => unpackHistory(bytes));
    if (id === this.id) return entries;
    throw new DamageError(`the history of ${this.id} is that of ${id}`);
  }
}

function readable<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new DamageError("the history of a variable cannot be read", { cause });
  }
}
