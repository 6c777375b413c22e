/** Free text that travels with sessions, registrations and commits (VAL-16). */
import { quoteName } from "./names.js";
import { Refusal } from "./refusal.js";
import { compareUtf8, isWellFormed, utf8Length } from "./text.js";

/** Checked metadata, ordered by key. A Map and not an object, so that no key can reach a prototype. */
export type Metadata = ReadonlyMap<string, string>;

/** Metadata as a caller gives it. */
export type MetadataPairs = Iterable<readonly [key: string, value: string]>;

export const EMPTY_METADATA: Metadata = new Map();

const MAX_KEYS = 32;
const MAX_KEY_BYTES = 256;
/** All keys and values of one metadata together. */
export const MAX_METADATA_BYTES = 4096;
/** Lists show these beside the free keys, so a free key must not hide them. */
const RESERVED = new Set(["source", "created_at", "updated_at", "__proto__"]);

/** Checks metadata and orders it by key. */
export function checkMetadata(pairs: MetadataPairs | undefined): Metadata | Refusal {
  if (pairs === undefined) return EMPTY_METADATA;
  const entries = [...pairs];
  if (entries.length === 0) return EMPTY_METADATA;
  if (entries.length > MAX_KEYS) return invalid(`has ${entries.length} keys, more than ${MAX_KEYS}`);
  const checked = new Map<string, string>();
  let bytes = 0;
  for (const [key, value] of entries.sort(([a], [b]) => compareUtf8(a, b))) {
    if (RESERVED.has(key)) return invalid(`key ${quoteName(key)} is reserved`);
    if (checked.has(key)) return invalid(`key ${quoteName(key)} stands twice`);
    if (!isWellFormed(key) || !isWellFormed(value)) {
      return invalid(`${quoteName(key)} is not well-formed Unicode (it has a lone surrogate)`);
    }
    const keyBytes = utf8Length(key);
    if (keyBytes === 0 || keyBytes > MAX_KEY_BYTES) {
      return invalid(`key ${quoteName(key)} takes ${keyBytes} bytes; 1 to ${MAX_KEY_BYTES} are allowed`);
    }
    bytes += keyBytes + utf8Length(value);
    checked.set(key, value);
  }
  return bytes > MAX_METADATA_BYTES
    ? invalid(`takes ${bytes} bytes, more than ${MAX_METADATA_BYTES}`)
    : checked;
}

/** One metadata laid over another: the upper one's values win. */
export function overlay(lower: Metadata, upper: Metadata): Metadata {
  if (upper.size === 0) return lower;
  if (lower.size === 0) return upper;
  return new Map([...lower, ...upper].sort(([a], [b]) => compareUtf8(a, b)));
}

function invalid(problem: string): Refusal {
  return new Refusal("INVALID_METADATA", `metadata ${problem}`);
}
