/** Records one after the other: what one flush writes, and what a segment of a session's log holds. */
import type { CommitRecord } from "../record.js";

/** A record as it is kept, with its check beside it: the last record's check stands nowhere else. */
export type KeptRecord = Pick<CommitRecord, "bytes" | "check">;

const PREFIX = 12;

/** Packs records: `length (4) · check (8) · record` each. */
export function packRecords(records: readonly KeptRecord[]): Uint8Array<ArrayBuffer> {
  const size = records.reduce((sum, { bytes }) => sum + PREFIX + bytes.length, 0);
  const packed = new Uint8Array(size);
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const { bytes, check } of records) {
    view.setUint32(at, bytes.length, true);
    view.setBigUint64(at + 4, check, true);
    packed.set(bytes, at + PREFIX);
    at += PREFIX + bytes.length;
  }
  return packed;
}

/** Unpacks records; throws RangeError if the last one is cut off. The records share the memory of what is unpacked. */
export function unpackRecords(packed: Uint8Array): KeptRecord[] {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const records: KeptRecord[] = [];
  for (let at = 0; at < packed.length; ) {
    const start = at + PREFIX;
    const end = start <= packed.length ? start + view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (end > packed.length) throw new RangeError(`a record is cut off at byte ${at}`);
    records.push({ bytes: packed.subarray(start, end), check: view.getBigUint64(at + 4, true) });
    at = end;
  }
  return records;
}
