/**
 * The bytes of a session's whole state, so that a restart need not repeat its life. A snapshot replaces the commits up to
 * its revision; what follows it are commits. Like a record it begins with its format.
 */
import type { SessionSnapshot } from "../core/session/state.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import { readList, readMetadata, readVariable, writeList, writeMetadata, writeVariable } from "./fields.js";

const FORMAT = 1;

/** Writes a snapshot. */
export function toSnapshotBytes(snapshot: SessionSnapshot): Uint8Array {
  const out = new ByteWriter();
  out.byte(FORMAT);
  out.text(snapshot.id);
  out.text(snapshot.incarnation);
  out.float64(snapshot.ttlMs);
  writeMetadata(out, snapshot.metadata);
  out.float64(snapshot.createdAtMs);
  out.varint(snapshot.revision);
  writeList(out, snapshot.variables, (variable) => writeVariable(out, variable));
  writeList(out, snapshot.tombstones, ([name, version]) => {
    out.text(name);
    out.varint(version);
  });
  writeList(out, snapshot.requests.clients, ({ clientId, mark }) => {
    out.text(clientId);
    out.varint(mark);
  });
  writeList(out, snapshot.requests.writes, ({ id, revision }) => {
    out.text(id.clientId);
    out.varint(id.sequence);
    out.varint(revision);
  });
  return out.finish();
}

/** Reads a snapshot; throws RangeError if it is damaged or of a newer format. */
export function fromSnapshotBytes(bytes: Uint8Array): SessionSnapshot {
  const input = new ByteReader(bytes);
  const format = input.byte();
  if (format !== FORMAT) {
    throw new RangeError(`snapshot format ${format} is not known; this version reads ${FORMAT}`);
  }
  const snapshot: SessionSnapshot = {
    id: input.text(),
    incarnation: input.text(),
    ttlMs: input.float64(),
    metadata: readMetadata(input),
    createdAtMs: input.float64(),
    revision: input.varint(),
    variables: readList(input, () => readVariable(input)),
    tombstones: readList(input, () => [input.text(), input.varint()] as const),
    requests: {
      clients: readList(input, () => ({ clientId: input.text(), mark: input.varint() })),
      writes: readList(input, () => ({
        id: { clientId: input.text(), sequence: input.varint() },
        revision: input.varint(),
      })),
    },
  };
  input.end();
  return snapshot;
}
