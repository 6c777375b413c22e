/**
 * The history of a variable: one entry for each version that it had, as far back as they are kept (VAL-20).
 *
 * A version counts accepted sets, so an entry is a set, whatever it came from: a single set, an item of a batch, an
 * increment, a first value. What defines a variable anew without setting it (a provisional one that is settled, other
 * constraints) makes no version and no entry; if the value is of another type from then on, so is the entry's.
 */
import type { Stored } from "./literal.js";
import type { Metadata } from "./metadata.js";
import { valueBytes } from "./session/value-size.js";
import type { TypeName } from "./values/registry.js";

/** What a variable was at one of its versions. */
export interface HistoryEntry {
  readonly version: number;
  readonly type: TypeName;
  readonly value: Stored;
  /** The revision that made the version. */
  readonly revision: number;
  /** When that was, by the wall clock, in milliseconds since 1970. */
  readonly wallTimeMs: number;
  /** Who wrote it. */
  readonly source: string;
  /** The metadata of that write alone. */
  readonly metadata: Metadata;
}

/** As many values of a variable are kept, the standing one included. */
export const KEPT_VALUES = 50;
/** As many bytes these values take together at most; the standing one is kept whatever it takes. */
export const KEPT_VALUE_BYTES = 1_048_576;

/** What an entry takes of {@link KEPT_VALUE_BYTES}. */
export function valueSize({ value }: HistoryEntry): number {
  return valueBytes(value);
}

/** The entries that are kept of a history, which is given and answered oldest first, in whatever form. */
export function keepNewest<Entry>(entries: readonly Entry[], sizeOf: (entry: Entry) => number): Entry[] {
  let first = entries.length;
  let bytes = 0;
  while (first > 0 && entries.length - first < KEPT_VALUES) {
    bytes += sizeOf(entries[first - 1] as Entry);
    if (bytes > KEPT_VALUE_BYTES && first < entries.length) break;
    first -= 1;
  }
  return entries.slice(first);
}
