/**
 * The bytes of a variable's history: `format (1 byte) · id · entries, oldest first`. An entry is bytes of its own that
 * begin with the size of its value, so that entries are added and let go of without a look into the others.
 */
import { type HistoryEntry, valueSize } from "../core/history.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import {
  readList,
  readMetadata,
  readType,
  readValue,
  writeList,
  writeMetadata,
  writeType,
  writeValue,
} from "./fields.js";

const FORMAT = 1;

/** Writes a history of entries that are bytes already. */
export function packHistory(id: string, entries: readonly Uint8Array[]): Uint8Array {
  const out = new ByteWriter();
  out.byte(FORMAT);
  out.text(id);
  writeList(out, entries, (entry) => out.bytes(entry));
  return out.finish();
}

/** Reads a history down to its entries; throws RangeError if it is damaged or of a newer format. */
export function unpackHistory(bytes: Uint8Array): { readonly id: string; readonly entries: Uint8Array[] } {
  const input = new ByteReader(bytes);
  const format = input.byte();
  if (format !== FORMAT) {
    throw new RangeError(`history format ${format} is not known; this version reads ${FORMAT}`);
  }
  const history = { id: input.text(), entries: readList(input, () => input.bytes()) };
  input.end();
  return history;
}

/** Writes one entry. */
export function toEntryBytes(out: ByteWriter, entry: HistoryEntry): Uint8Array {
  out.varint(valueSize(entry));
  out.varint(entry.version);
  writeType(out, entry.type);
  writeValue(out, entry.type, entry.value);
  out.varint(entry.revision);
  out.float64(entry.wallTimeMs);
  out.text(entry.source);
  writeMetadata(out, entry.metadata);
  return out.finish();
}

/** Reads one entry; throws RangeError if it is damaged. */
export function fromEntryBytes(bytes: Uint8Array): HistoryEntry {
  const input = new ByteReader(bytes);
  input.varint();
  const version = input.varint();
  const type = readType(input);
  const entry: HistoryEntry = {
    version,
    type,
    value: readValue(input, type),
    revision: input.varint(),
    wallTimeMs: input.float64(),
    source: input.text(),
    metadata: readMetadata(input),
  };
  input.end();
  return entry;
}

/** The size of an entry's value. */
export function valueSizeOf(bytes: Uint8Array): number {
  // Of nearly all it is one byte.
  const first = bytes[0] ?? 0;
  return first < 0x80 ? first : new ByteReader(bytes).varint();
}
