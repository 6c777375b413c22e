/**
 * The record of a commit: the bytes that stores keep. A format of our own and not protobuf, because the commit check is
 * computed over these bytes: they have to be the same for the same commit, whichever library version writes them.
 *
 * A record is `check of the commit before (8 bytes) · format (1 byte) · fields in a fixed order`. Fields are never
 * reordered; a change of them is a new format number, and old numbers stay readable.
 */
import type { RequestId } from "../core/commands.js";
import { type ItemRefusal, REASONS, Refusal, type RefusalDetails } from "../core/refusal.js";
import type { Change, Commit, CommitKind } from "../core/session/commit.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import { commitCheck } from "./commit-check.js";
import {
  pick,
  readList,
  readMetadata,
  readOptional,
  readType,
  readValue,
  readVariable,
  writeList,
  writeMetadata,
  writeOptional,
  writeType,
  writeValue,
  writeVariable,
} from "./fields.js";

const FORMAT = 1;

/** Places in these lists are part of the format: a place is never given to another word. */
const COMMIT_KINDS = [
  "createSession",
  "deleteSession",
  "expireSession",
  "registerVariable",
  "ensureVariables",
  "setVariable",
  "setVariables",
  "incrementVariable",
  "deleteVariable",
] as const satisfies readonly CommitKind[];
const CHANGE_KINDS = ["define", "set", "drop"] as const satisfies readonly Change["kind"][];

/** A commit with its bytes and its place in the chain. */
export interface CommitRecord {
  readonly commit: Commit;
  readonly bytes: Uint8Array;
  readonly check: bigint;
}

/** Makes records. It keeps its scratch space from one to the next, so a caller that makes many holds on to one. */
export class RecordMaker {
  readonly #out = new ByteWriter();

  /** Makes the record of a commit that follows a commit with this check; 0 for the first one. */
  make(commit: Commit, previousCheck: bigint): CommitRecord {
    // Something may be left of a commit that could not be written.
    this.#out.reset();
    this.#out.uint64(previousCheck);
    this.#out.byte(FORMAT);
    writeCommit(this.#out, commit);
    const bytes = this.#out.finish();
    return { commit, bytes, check: commitCheck(bytes) };
  }
}

/** Reads a record; throws RangeError if it is damaged or of a newer format. */
export function fromRecord(bytes: Uint8Array): CommitRecord & { readonly previousCheck: bigint } {
  const input = new ByteReader(bytes);
  const previousCheck = readPrologue(input);
  const commit = readCommit(input);
  input.end();
  return { commit, bytes, check: commitCheck(bytes), previousCheck };
}

/** What a record says about its place, without reading the rest of it. */
export interface RecordHeader {
  readonly previousCheck: bigint;
  readonly sessionId: string;
  readonly incarnation: string;
  readonly revision: number;
  readonly kind: CommitKind;
}

/** Reads the beginning of a record. */
export function recordHeader(bytes: Uint8Array): RecordHeader {
  const input = new ByteReader(bytes);
  const previousCheck = readPrologue(input);
  return { previousCheck, ...readPlace(input) };
}

/** The check of the commit before, which a record begins with. */
export function previousCheckOf(bytes: Uint8Array): bigint {
  return new ByteReader(bytes).uint64();
}

function readPrologue(input: ByteReader): bigint {
  const previousCheck = input.uint64();
  const format = input.byte();
  if (format === FORMAT) return previousCheck;
  throw new RangeError(`record format ${format} is not known; this version reads ${FORMAT}`);
}

function readPlace(input: ByteReader) {
  const sessionId = input.text();
  const incarnation = input.text();
  const revision = input.varint();
  return { sessionId, incarnation, revision, kind: pick(COMMIT_KINDS, input.byte()) };
}

function writeCommit(out: ByteWriter, commit: Commit): void {
  out.text(commit.sessionId);
  out.text(commit.incarnation);
  out.varint(commit.revision);
  out.byte(COMMIT_KINDS.indexOf(commit.kind));
  out.float64(commit.wallTimeMs);
  out.text(commit.source);
  out.text(commit.writer);
  writeMetadata(out, commit.metadata);
  writeOptional(out, commit.requestId, ({ clientId, sequence }) => {
    out.text(clientId);
    out.varint(sequence);
  });
  writeOptional(out, commit.created, ({ ttlMs, metadata }) => {
    out.float64(ttlMs);
    writeMetadata(out, metadata);
  });
  writeList(out, commit.changes, (change) => writeChange(out, change));
  writeList(out, commit.refused, (item) => writeItemRefusal(out, item));
}

/** Every field by name: a restart reads many records, and a spread costs several times more than all the reading. */
function readCommit(input: ByteReader): Commit {
  const { sessionId, incarnation, revision, kind } = readPlace(input);
  const wallTimeMs = input.float64();
  const source = input.text();
  const writer = input.text();
  const metadata = readMetadata(input);
  const requestId = readOptional(
    input,
    (): RequestId => ({ clientId: input.text(), sequence: input.varint() }),
  );
  const created = readOptional(input, () => ({
    ttlMs: input.float64(),
    metadata: readMetadata(input),
  }));
  const changes = readList(input, () => readChange(input));
  const refused = readList(input, () => readItemRefusal(input));
  const commit: { -readonly [Field in keyof Commit]: Commit[Field] } = {
    sessionId,
    incarnation,
    revision,
    kind,
    wallTimeMs,
    source,
    writer,
    metadata,
    changes,
    refused,
  };
  if (requestId !== undefined) commit.requestId = requestId;
  if (created !== undefined) commit.created = created;
  return commit;
}

function writeChange(out: ByteWriter, change: Change): void {
  out.byte(CHANGE_KINDS.indexOf(change.kind));
  switch (change.kind) {
    case "define":
      writeVariable(out, change.variable);
      return;
    case "set":
      out.text(change.name);
      out.text(change.id);
      writeType(out, change.type);
      out.varint(change.version);
      writeValue(out, change.type, change.value);
      return;
    case "drop":
      out.text(change.name);
      out.varint(change.version);
  }
}

function readChange(input: ByteReader): Change {
  const kind = pick(CHANGE_KINDS, input.byte());
  switch (kind) {
    case "define":
      return { kind, variable: readVariable(input) };
    case "set": {
      const name = input.text();
      const id = input.text();
      const type = readType(input);
      const version = input.varint();
      return { kind, name, id, type, version, value: readValue(input, type) };
    }
    case "drop":
      return { kind, name: input.text(), version: input.varint() };
  }
}

/** A refused item is kept for the answer to a retry; its details are data and go in as JSON. */
function writeItemRefusal(out: ByteWriter, { index, identifier, refusal }: ItemRefusal): void {
  out.varint(index);
  out.text(identifier);
  out.text(refusal.reason);
  out.text(refusal.message);
  out.text(JSON.stringify(refusal.details));
}

function readItemRefusal(input: ByteReader): ItemRefusal {
  const index = input.varint();
  const identifier = input.text();
  const reason = pick(REASONS, (REASONS as readonly string[]).indexOf(input.text()));
  const message = input.text();
  return {
    index,
    identifier,
    refusal: new Refusal(reason, message, readDetails(input)),
  };
}

function readDetails(input: ByteReader): RefusalDetails {
  try {
    return JSON.parse(input.text()) as RefusalDetails;
  } catch (cause) {
    throw new RangeError("record holds details that cannot be read", { cause });
  }
}
