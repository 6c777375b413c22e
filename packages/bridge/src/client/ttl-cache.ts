/**
 * Answers of the bridge that are used again for a short time: the cache of mode `ttl`, for where nothing can be pushed.
 * Python has the same (`_cache.py`), held to it by the same vectors.
 *
 * There is one entry for each variable, whether it was asked for by name or id. It is as old as the *start* of the call
 * that fetched it, so that "younger than the TTL" is said of the value and not of the arrival of an answer. What keeps
 * an outdated answer out (ORD-21):
 *
 * - in one life of the session an answer at an older revision never replaces a newer one;
 * - an answer of a call that began before an own write of the variable, or before it was invalidated, is not kept, nor one
 *   of a call that began before an entry of the variable left by its age or to make room;
 * - an answer of another life of the session empties the cache, and nothing is kept of calls that were under way then,
 *   because their answers cannot be ordered.
 *
 * Pure: `now` is passed in, in milliseconds of a clock that never jumps. An expiry time for each entry was considered; it
 * could not change the TTL of what is here already.
 */
import type { Revision } from "../core/commands.js";
import type { Held } from "./reads.js";

/** A variable as it was at a revision. */
export interface CachedVariable extends Held {
  readonly name: string;
  readonly id: string;
  readonly revision: Revision;
}

/** What the cache has of a variable. */
export interface CacheHit {
  readonly variable: CachedVariable;
  readonly ageMs: number;
}

/** The beginning of a call, which decides later whether its answer is kept. */
export interface Fetch {
  /** How often something had become outdated before it. */
  readonly sequence: number;
  readonly began: number;
}

export interface CacheCounts {
  /** Look-ups that were answered. */
  readonly hits: number;
  /** Look-ups that were not. */
  readonly misses: number;
  /** Entries that were too old, or made room for others. Invalidated and replaced ones are not counted. */
  readonly evictions: number;
  /** Entries that are here. */
  readonly size: number;
}

/** No more entries are kept, and no more marks of what has become outdated. */
const MOST_ENTRIES = 10_000;

const ID = /^var_(.+)_[0-9]+$/s;

/** The name that a name or an id stands for: the two forms never meet (VAL-8). */
function nameOf(identifier: string): string {
  return ID.exec(identifier)?.[1] ?? identifier;
}

interface Kept {
  readonly variable: CachedVariable;
  readonly began: number;
}

export class TtlCache {
  #ttlMs = 0;
  readonly #mostEntries: number;
  /** By name; that which was fetched longest ago is first. */
  readonly #entries = new Map<string, Kept>();
  #incarnation: string | undefined;
  /** Calls that began before the mark of a variable are outdated; where there is none, the floor decides. */
  readonly #marks = new Map<string, number>();
  #floor = 0;
  #sequence = 0;
  #hits = 0;
  #misses = 0;
  #evictions = 0;

  constructor(ttlMs: number, mostEntries = MOST_ENTRIES) {
    this.setTtl(ttlMs);
    this.#mostEntries = mostEntries;
  }

  /** For how long answers are used, those that are here already too. 0: never. Throws RangeError for what is no time. */
  setTtl(ttlMs: number): void {
    this.#ttlMs = checkCacheTtl(ttlMs);
  }

  /**
   * A variable that is young enough. Counted as a hit or a miss.
   *
   * @param maxAgeMs how old it may be; what is older than the TTL is not answered in any case
   */
  lookUp(identifier: string, now: number, maxAgeMs = Number.POSITIVE_INFINITY): CacheHit | undefined {
    const name = nameOf(identifier);
    const kept = this.#entries.get(name);
    if (kept !== undefined) {
      const { variable, began } = kept;
      const ageMs = Math.max(0, now - began);
      if (this.#isOld(began, now)) this.#evict(name);
      else if (ageMs <= maxAgeMs && (identifier === name || identifier === variable.id)) {
        this.#hits++;
        return { variable, ageMs };
      }
    }
    this.#misses++;
    return undefined;
  }

  /** A call begins whose answer may be kept. */
  begin(now: number): Fetch {
    return { sequence: this.#sequence, began: now };
  }

  /** True if the variable was neither written here nor invalidated since a call began. */
  isCurrent(identifier: string, { sequence }: Fetch): boolean {
    return (this.#marks.get(nameOf(identifier)) ?? this.#floor) <= sequence;
  }

  /** True if who reads now may have the answer of a call that has begun already: it will be what a look-up might find. */
  mayJoin(identifier: string, fetch: Fetch, now: number, maxAgeMs = Number.POSITIVE_INFINITY): boolean {
    return (
      this.isCurrent(identifier, fetch) && !this.#isOld(fetch.began, now) && now - fetch.began <= maxAgeMs
    );
  }

  /** Keeps what a call was answered, if it may be kept. */
  store(variable: CachedVariable, fetch: Fetch, now: number): void {
    const { name, revision } = variable;
    const kept = this.#entries.get(name);
    const isCurrent = this.isCurrent(name, fetch);
    let { began } = fetch;
    if (kept !== undefined) {
      const newer = revision.number - kept.variable.revision.number;
      if (newer < 0 || (newer === 0 && !isCurrent)) return;
      this.#entries.delete(name);
      // What was kept was true after its own call began, and this is not older than that.
      began = Math.max(began, kept.began);
    }
    if (!isCurrent || this.#isOld(began, now)) return;
    this.#evictOld(now);
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined && this.#entries.size >= this.#mostEntries) this.#evict(oldest);
    this.#entries.set(name, { variable, began });
  }

  /** The variable was written here: answers of calls that began before are not kept any more. What is here stays. */
  wrote(identifier: string): void {
    const name = nameOf(identifier);
    this.#marks.delete(name);
    this.#marks.set(name, ++this.#sequence);
    const [oldest] = this.#marks;
    if (oldest === undefined || this.#marks.size <= this.#mostEntries) return;
    this.#marks.delete(oldest[0]);
    this.#floor = oldest[1];
  }

  /** Forgets a variable, or all, and keeps nothing of calls that began before. An empty name is only a name. */
  invalidate(identifier?: string): void {
    if (identifier !== undefined) {
      this.wrote(identifier);
      this.#entries.delete(nameOf(identifier));
      return;
    }
    this.#floor = ++this.#sequence;
    this.#marks.clear();
    this.#entries.clear();
  }

  /** An answer is of this life of the session. */
  observe(incarnation: string): void {
    if (this.#incarnation !== undefined && this.#incarnation !== incarnation) this.invalidate();
    this.#incarnation = incarnation;
  }

  /** What was counted. Entries that are too old by now are evicted first. */
  counts(now: number): CacheCounts {
    for (const [name, { began }] of this.#entries) if (this.#isOld(began, now)) this.#evict(name);
    return {
      hits: this.#hits,
      misses: this.#misses,
      evictions: this.#evictions,
      size: this.#entries.size,
    };
  }

  #isOld(began: number, now: number): boolean {
    return now - began >= this.#ttlMs;
  }

  #evictOld(now: number): void {
    for (const [name, { began }] of this.#entries) {
      if (!this.#isOld(began, now)) return;
      this.#evict(name);
    }
  }

  /** It may have been read, so an older answer must not be kept after it. */
  #evict(name: string): void {
    this.#entries.delete(name);
    this.#evictions++;
    this.wrote(name);
  }
}

/** Throws RangeError for what is no time. */
export function checkCacheTtl(ttlMs: number): number {
  if (ttlMs >= 0) return ttlMs;
  throw new RangeError(`a cache TTL is a time of 0 ms or more, not ${ttlMs}`);
}
