/**
 * The state of a session as its followers are told it: each variable as it is, in the order in which they were changed last.
 *
 * A follower is a place in it. What has changed since is what lies behind that place, each variable once, however much has
 * happened; so one that is slow costs nothing, and all that stand at the same place are told the same.
 */
import type { Revision } from "./commands.js";
import type { Stored } from "./literal.js";
import type { SessionEvent, VariableAt, VariableChange } from "./session/event.js";
import { mostBytes } from "./session/value-size.js";
import type { StateEntry, StateUpdate } from "./state-update.js";
import { utf8Length } from "./text.js";
import { pointAfter } from "./told-queue.js";
import type { Variable } from "./variable.js";

/** What has become of variables by name, in the order in which that happened. Undefined: deleted. */
export type Changes = Map<string, StateEntry | undefined>;

/** Longer values are left out, and have to be read (ORD-7). In bytes. */
export const MOST_VALUE_BYTES = 65_536;
/**
 * A step that would be longer is cut, so that each part fits into a message of a channel with what is around it (ORD-18). In
 * characters, which need not be counted, and take three bytes at most.
 */
const PART_LENGTH = 81_920;
/** So many changes are kept at least before those are dropped that were overtaken. */
const FEWEST_KEPT = 64;

interface LoggedChange {
  /** Of the commit; 0: before the log began. */
  readonly number: number;
  readonly name: string;
  readonly entry: StateEntry | undefined;
}

export class StateLog {
  #revision: Revision;
  /** Every variable and deleted name at least once, its last change last. */
  #changes: LoggedChange[] = [];
  #mostKept = 0;
  /** What was made for those who stand where the session stands now, by the number that they come from. */
  readonly #steps = new Map<number, readonly StateUpdate[]>();
  /** The same for those that come from nowhere, as long as one of them takes it: it may be as large as the session. */
  #whole: WeakRef<readonly StateUpdate[]> | undefined;

  /** The log of a session that stands here with these variables. */
  constructor(revision: Revision, variables: Iterable<Variable>) {
    this.#revision = revision;
    const oldestFirst = [...variables].sort((a, b) => a.updatedAtMs - b.updatedAtMs);
    for (const { name, id, ...at } of oldestFirst) this.#keep(0, name, entryOf(name, id, at));
    this.#mostKept = mostKept(this.#changes.length);
  }

  /** Where the session stands. */
  get revision(): Revision {
    return this.#revision;
  }

  /** How many changes are kept, the overtaken ones included. */
  get kept(): number {
    return this.#changes.length;
  }

  /** Takes in the next commit. */
  add(event: SessionEvent): void {
    this.#revision = pointAfter({ kind: "event", event });
    this.#steps.clear();
    this.#whole = undefined;
    // The session is another one, or none.
    if (event.kind !== "changed") this.#changes = [];
    const { number } = event.revision;
    if (this.#revision.number > 0)
      for (const [name, entry] of changesOf([event])) this.#keep(number, name, entry);
    if (this.#changes.length > this.#mostKept) this.#dropOvertaken();
  }

  /**
   * The updates that take a follower from where it stands to where the session stands. From nowhere, or from another life
   * of the session, they are the whole of it.
   *
   * @param missed what has changed since then, as far as it was before this log began
   */
  stepsFrom(from: Revision | undefined, missed?: Changes): readonly StateUpdate[] {
    const base = from?.incarnation === this.#revision.incarnation ? from : undefined;
    const known = base === undefined ? this.#whole?.deref() : this.#steps.get(base.number);
    if (known !== undefined) return known;
    const steps = inParts(base, this.#revision, this.#since(base, missed));
    if (base === undefined) this.#whole = new WeakRef(steps);
    else this.#steps.set(base.number, steps);
    return steps;
  }

  #since(base: Revision | undefined, missed: Changes | undefined): Changes {
    const since: Changes = new Map(base === undefined ? undefined : missed);
    let first = 0;
    if (base !== undefined) {
      first = this.#changes.length;
      while ((this.#changes[first - 1]?.number ?? 0) > base.number) first--;
    }
    for (const { name, entry } of this.#changes.slice(first)) overwrite(since, name, entry);
    if (base === undefined) for (const [name, entry] of since) if (entry === undefined) since.delete(name);
    return since;
  }

  #keep(number: number, name: string, entry: StateEntry | undefined): void {
    this.#changes.push({ number, name, entry });
  }

  #dropOvertaken(): void {
    const last = new Map<string, LoggedChange>();
    for (const change of this.#changes) overwrite(last, change.name, change);
    this.#changes = [...last.values()];
    this.#mostKept = mostKept(this.#changes.length);
  }
}

/** What commits have made of variables, one after the other. */
export function changesOf(events: readonly Pick<SessionEvent, "changes">[]): Changes {
  const all: Changes = new Map();
  for (const { changes } of events) for (const change of changes) overwrite(all, change.name, madeBy(change));
  return all;
}

/** Bounds what is kept by what there is; dropping costs each change the same, however many there are. */
function mostKept(needed: number): number {
  return 2 * needed + FEWEST_KEPT;
}

/** Puts something last, also where it was there before. */
function overwrite<T>(all: Map<string, T>, name: string, value: T): void {
  all.delete(name);
  all.set(name, value);
}

function madeBy({ name, id, after }: VariableChange): StateEntry | undefined {
  if (after === undefined) return undefined;
  if (id === undefined) throw new Error(`the commit that set ${name} knows no id of it`);
  return entryOf(name, id, after);
}

function entryOf(name: string, id: string, { version, type, value }: VariableAt): StateEntry {
  if (type === undefined || value === undefined) throw new Error(`nobody knows what ${name} holds`);
  return isLong(value) ? { name, id, version, type } : { name, id, version, type, value };
}

/** Counts only where the length alone does not say it. */
function isLong(value: Stored): boolean {
  if (mostBytes(value) <= MOST_VALUE_BYTES) return false;
  return (
    typeof value === "string" && (value.length > MOST_VALUE_BYTES || utf8Length(value) > MOST_VALUE_BYTES)
  );
}

/** Cuts a step to parts, in order. */
function inParts(base: Revision | undefined, revision: Revision, changes: Changes): StateUpdate[] {
  const parts: { changed: StateEntry[]; deleted: string[] }[] = [];
  let length = PART_LENGTH;
  for (const [name, entry] of changes) {
    const more = 64 + 2 * name.length + lengthOf(entry?.value);
    if (length + more > PART_LENGTH) {
      parts.push({ changed: [], deleted: [] });
      length = 0;
    }
    length += more;
    const part = parts.at(-1);
    if (entry === undefined) part?.deleted.push(name);
    else part?.changed.push(entry);
  }
  // A step that changes nothing is one all the same.
  if (parts.length === 0) parts.push({ changed: [], deleted: [] });
  const where = base === undefined ? { revision } : { base, revision };
  return parts.map((part, i) => ({ ...where, ...part, more: i < parts.length - 1 }));
}

function lengthOf(value: Stored | undefined): number {
  return typeof value === "string" ? value.length : 0;
}
