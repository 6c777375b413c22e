/**
 * A copy of a session that a subscription keeps current (ORD-2, ORD-6, ORD-7). It moves by whole updates, in order, and by
 * nothing else: an answer to a call never writes into it, so a late one cannot overwrite what is newer.
 *
 *   NOT_READY ──the whole session──▶ READY ──the subscription is lost──▶ STALE ──an update──▶ READY …
 *
 * Pure: it waits for nothing, and `now` is passed in, in milliseconds of a clock that never jumps. Python has the same
 * (`_replica.py`), held to it by the same vectors.
 *
 * That a client remembers what its own calls have been answered, and reads nothing older from the copy, was added: order on one
 * channel alone does not cover the moments after a reconnect.
 */
import type { Revision } from "../core/commands.js";
import { valueBytes } from "../core/session/value-size.js";
import type { StateEntry, StateUpdate } from "../core/state-update.js";

export type ReplicaState = "NOT_READY" | "READY" | "STALE";

/** What values may take together, if nobody says otherwise. */
export const REPLICA_BYTES = 64 * 1_048_576;

/**
 * How it may be read from:
 *
 * - `current`: as it is, as far as anybody here knows;
 * - `stale`: as it was, and the reader is to be told so;
 * - `ask`: not at all, the server has to be asked;
 * - `unavailable`: not at all, and there is nobody to ask.
 */
export type Access = "current" | "stale" | "ask" | "unavailable";

const NEVER = { incarnation: undefined, number: 0 };

export class Replica {
  /** Changes with everything that may make a reader see something else. */
  generation = 0;
  /** True while it may be read from without a mark; so a reader need not ask for `access`, which looks at the time. */
  isCurrent = false;
  readonly #budget: number;
  #state: ReplicaState = "NOT_READY";
  #reason: string | undefined;
  /** True while nobody can be asked either. */
  #down = false;
  #revision: Revision | undefined;
  #heardAt = 0;
  /** The latest that calls were answered at, in each life of the session that may be the present one. */
  readonly #answered = new Map<string, number>();
  /** True if the server said something since the subscription was lost, of which nobody knows what it was true at. */
  #isDoubted = false;
  /** The last life of the session before the present one: it is over. */
  #formerLife: string | undefined;
  readonly #entries = new Map<string, StateEntry>();
  /** The names of ids. */
  readonly #names = new Map<string, string>();
  /** The bytes of the values that are here, by name, those that have been unchanged longest first. */
  readonly #loaded = new Map<string, number>();
  #bytes = 0;
  /** Parts of an update whose rest is to come. */
  #parts: StateUpdate[] = [];

  /** @param budget how many bytes values may take together */
  constructor(budget = REPLICA_BYTES) {
    this.#budget = budget;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** Why it is not READY, for people; undefined if it is, or has only just been made. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** Where it stands; number 0: there is no session. Undefined while it has never been told. */
  get revision(): Revision | undefined {
    return this.#revision;
  }

  /** How many variables there are. */
  get size(): number {
    return this.#entries.size;
  }

  /** How many of them have their value here. */
  get loaded(): number {
    return this.#loaded.size;
  }

  /** How many bytes the values take that are here. */
  get bytes(): number {
    return this.#bytes;
  }

  /** How long ago the server was heard of last, in milliseconds; undefined: never. */
  ageMs(now: number): number | undefined {
    return this.#revision === undefined ? undefined : Math.max(0, now - this.#heardAt);
  }

  // ---- what it is told

  /**
   * Takes an update, or a part of one.
   *
   * @returns `gap` if it does not follow: nothing was done, and the subscription is of no more use
   */
  take(update: StateUpdate, now: number): "taken" | "part" | "gap" {
    const { base, revision, more } = update;
    const [first = update] = this.#parts;
    const follows = base === undefined || (this.#revision !== undefined && isSame(base, this.#revision));
    if (
      !follows ||
      !isSame(revision, first.revision) ||
      (base === undefined) !== (first.base === undefined)
    ) {
      this.#parts = [];
      return "gap";
    }
    this.#parts.push(update);
    if (more) return "part";
    this.#move(this.#parts, revision);
    this.#parts = [];
    this.#heardAt = now;
    return "taken";
  }

  #move(parts: readonly StateUpdate[], revision: Revision): void {
    const isWhole = parts[0]?.base === undefined;
    if (isWhole) this.#clear();
    for (const { changed, deleted } of parts) {
      for (const entry of changed) this.#put(entry);
      for (const name of deleted) this.#drop(name);
    }
    this.#unload();
    const isNews = isWhole || !isSame(revision, this.#revision as Revision);
    const life = this.#revision?.incarnation ?? "";
    if (life !== "" && life !== revision.incarnation) this.#formerLife = life;
    this.#revision = revision;
    this.#state = "READY";
    this.#reason = undefined;
    this.#down = false;
    this.#isDoubted = false;
    // What was answered of another life of the session was sent before this, so that life is over.
    for (const incarnation of this.#answered.keys())
      if (incarnation !== revision.incarnation) this.#answered.delete(incarnation);
    this.#settle(isNews);
  }

  /** The subscription is lost. What is here stays, and is not current. */
  lost(reason: string): void {
    this.#parts = [];
    if (this.#state === "READY") this.#state = "STALE";
    this.#reason = reason;
    this.#down = true;
    this.#settle(false);
  }

  /** There will be no subscription any more: what is here is of no use. */
  forget(reason: string): void {
    this.#parts = [];
    this.#clear();
    this.#state = "NOT_READY";
    this.#reason = reason;
    this.#down = false;
    this.#revision = undefined;
    this.#settle(true);
  }

  /** Somebody can be asked again, as far as anybody knows, and is. */
  asking(): void {
    this.#parts = [];
    this.#down = false;
  }

  /**
   * A call was answered with what is true at a revision. What is older is not to be read after it (ORD-1), not even if the server
   * goes back to it.
   */
  answered(revision: Revision): void {
    const { incarnation, number } = revision;
    if (incarnation === this.#formerLife || (this.#answered.get(incarnation) ?? 0) >= number) return;
    this.#answered.set(incarnation, number);
    this.#settle(false);
  }

  /**
   * A call was refused because of what the session is, and a refusal does not say what it was true at. What is out of touch may be
   * older than that, and is not read after it; what is in touch was told before.
   */
  doubt(): void {
    this.#isDoubted = this.#state === "STALE";
  }

  /** True if a call was answered with what this has not come to. */
  get #isBehind(): boolean {
    const { incarnation, number } = this.#revision ?? NEVER;
    for (const [life, reached] of this.#answered) if (life !== incarnation || reached > number) return true;
    return false;
  }

  /** What is here may be read from, or may not any more. */
  #settle(isNews: boolean): void {
    const isCurrent = this.#state === "READY" && !this.#isBehind;
    if (isNews || isCurrent !== this.isCurrent) this.generation++;
    this.isCurrent = isCurrent;
  }

  // ---- reading

  /** @param maxStaleMs how old what is read may be while the server is out of reach; 0: it is not read at all then */
  access(now: number, maxStaleMs: number): Access {
    if (this.isCurrent) return "current";
    if (this.#state !== "STALE" || this.#isDoubted || this.#isBehind) return "ask";
    if (maxStaleMs > 0 && now - this.#heardAt <= maxStaleMs) return "stale";
    return this.#down ? "unavailable" : "ask";
  }

  /** What it has of a variable, by name or id; undefined: there is no such variable. Without a value it has to be read. */
  find(identifier: string): StateEntry | undefined {
    const entry = this.#entries.get(identifier);
    if (entry !== undefined) return entry;
    const name = this.#names.get(identifier);
    return name === undefined ? undefined : this.#entries.get(name);
  }

  // ---- the copy

  #put(entry: StateEntry): void {
    const { name, id, value } = entry;
    this.#drop(name);
    this.#names.set(id, name);
    const bytes = value === undefined ? 0 : valueBytes(value);
    // All others together would not make room for it.
    if (bytes > this.#budget) {
      this.#entries.set(name, withoutValue(entry));
      return;
    }
    this.#entries.set(name, entry);
    if (value === undefined) return;
    this.#loaded.set(name, bytes);
    this.#bytes += bytes;
  }

  #drop(name: string): void {
    const before = this.#entries.get(name);
    if (before === undefined) return;
    this.#entries.delete(name);
    this.#names.delete(before.id);
    this.#forget(name);
  }

  #clear(): void {
    this.#entries.clear();
    this.#names.clear();
    this.#loaded.clear();
    this.#bytes = 0;
  }

  /** Lets go of values until the rest has room. */
  #unload(): void {
    for (const name of this.#loaded.keys()) {
      if (this.#bytes <= this.#budget) return;
      this.#entries.set(name, withoutValue(this.#entries.get(name) as StateEntry));
      this.#forget(name);
    }
  }

  #forget(name: string): void {
    this.#bytes -= this.#loaded.get(name) ?? 0;
    this.#loaded.delete(name);
  }
}

function withoutValue({ name, id, version, type }: StateEntry): StateEntry {
  return { name, id, version, type };
}

function isSame(one: Revision, other: Revision): boolean {
  return one.number === other.number && one.incarnation === other.incarnation && one.check === other.check;
}
