/**
 * The record of a commit: the bytes that stores keep. A format of our own and not protobuf, because the commit check is
 * computed over these bytes: they have to be the same for the same commit, whichever library version writes them.
 *
 * A record is `check of the commit before (8 bytes) · format (1 byte) · fields in a fixed order`. Fields are never
 * reordered; a change of them is a new format number, and old numbers stay readable.
 */
import type { RequestId } from "../core/commands.js";
import type { Constraint, Limits } from "../core/constraints.js";
import type { Literal, Stored } from "../core/literal.js";
import type { Metadata } from "../core/metadata.js";
import { type ItemRefusal, REASONS, Refusal, type RefusalDetails } from "../core/refusal.js";
import type { Change, Commit, CommitKind } from "../core/session/commit.js";
import { type TypeName, valueType } from "../core/values/registry.js";
import type { Variable } from "../core/variable.js";
import { ByteReader, ByteWriter } from "./bytes.js";
import { commitCheck } from "./commit-check.js";

const FORMAT = 1;

/** The lists below are part of the format: a place is never given to another word. */
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
const LITERAL_KINDS = [
  "float",
  "integer",
  "number",
  "string",
  "boolean",
] as const satisfies readonly Literal["kind"][];
const TYPES = ["float", "integer", "string", "boolean"] as const satisfies readonly TypeName[];

/** A commit with its bytes and its place in the chain. */
export interface CommitRecord {
  readonly commit: Commit;
  readonly bytes: Uint8Array;
  readonly check: bigint;
}

/**
 * Makes the record of a commit that follows a commit with this check; 0 for the first one.
 * `out` is scratch space: a caller that makes many records hands in the same writer each time.
 */
export function toRecord(commit: Commit, previousCheck: bigint, out = new ByteWriter()): CommitRecord {
  out.uint64(previousCheck);
  out.byte(FORMAT);
  writeCommit(out, commit);
  const bytes = out.finish();
  return { commit, bytes, check: commitCheck(bytes) };
}

/** Reads a record; throws RangeError if it is damaged or of a newer format. */
export function fromRecord(bytes: Uint8Array): CommitRecord & { readonly previousCheck: bigint } {
  const input = new ByteReader(bytes);
  const previousCheck = input.uint64();
  const format = input.byte();
  if (format !== FORMAT)
    throw new RangeError(`record format ${format} is not known; this version reads ${FORMAT}`);
  const commit = readCommit(input);
  input.end();
  return { commit, bytes, check: commitCheck(bytes), previousCheck };
}

function writeCommit(out: ByteWriter, commit: Commit): void {
  out.text(commit.sessionId);
  out.text(commit.incarnation);
  out.varint(commit.revision);
  out.byte(COMMIT_KINDS.indexOf(commit.kind));
  out.float64(commit.wallTimeMs);
  out.text(commit.source);
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

function readCommit(input: ByteReader): Commit {
  const sessionId = input.text();
  const incarnation = input.text();
  const revision = input.varint();
  const kind = pick(COMMIT_KINDS, input.byte());
  const wallTimeMs = input.float64();
  const source = input.text();
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
  return {
    sessionId,
    incarnation,
    revision,
    kind,
    wallTimeMs,
    source,
    metadata,
    ...(requestId === undefined ? {} : { requestId }),
    ...(created === undefined ? {} : { created }),
    changes,
    refused,
  };
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
      out.byte(TYPES.indexOf(change.type));
      out.varint(change.version);
      writeLiteral(out, valueType(change.type).literal(change.value));
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
      const type = pick(TYPES, input.byte());
      const version = input.varint();
      return { kind, name, id, type, version, value: readValue(input, type) };
    }
    case "drop":
      return { kind, name: input.text(), version: input.varint() };
  }
}

function writeVariable(out: ByteWriter, variable: Variable): void {
  out.text(variable.id);
  out.text(variable.name);
  out.byte(TYPES.indexOf(variable.type));
  writeLiteral(out, valueType(variable.type).literal(variable.value));
  out.varint(variable.version);
  writeList(out, variable.limits.constraints, ({ key, values }) => {
    out.text(key);
    writeList(out, values, (literal) => writeLiteral(out, literal));
  });
  writeMetadata(out, variable.registered);
  writeMetadata(out, variable.latest);
  out.text(variable.source);
  out.float64(variable.createdAtMs);
  out.float64(variable.updatedAtMs);
  out.byte(variable.provisional ? 1 : 0);
}

function readVariable(input: ByteReader): Variable {
  const id = input.text();
  const name = input.text();
  const type = pick(TYPES, input.byte());
  return {
    id,
    name,
    type,
    value: readValue(input, type),
    version: input.varint(),
    limits: readLimits(input, type),
    registered: readMetadata(input),
    latest: readMetadata(input),
    source: input.text(),
    createdAtMs: input.float64(),
    updatedAtMs: input.float64(),
    provisional: input.byte() === 1,
  };
}

function readValue(input: ByteReader, type: TypeName): Stored {
  const value = valueType(type).accept(readLiteral(input));
  if (value instanceof Refusal)
    throw new RangeError(`record holds a value that is no ${type}: ${value.message}`);
  return value;
}

function readLimits(input: ByteReader, type: TypeName): Limits<Stored> {
  const constraints = readList(
    input,
    (): Constraint => ({
      key: input.text(),
      values: readList(input, () => readLiteral(input)),
    }),
  );
  const limits = valueType(type).limits(constraints);
  if (limits instanceof Refusal) throw new RangeError(`record holds a bad constraint: ${limits.message}`);
  return limits;
}

function writeLiteral(out: ByteWriter, literal: Literal): void {
  out.byte(LITERAL_KINDS.indexOf(literal.kind));
  switch (literal.kind) {
    case "float":
    case "number":
      out.float64(literal.value);
      return;
    case "integer":
      out.int64(literal.value);
      return;
    case "string":
      out.text(literal.value);
      return;
    case "boolean":
      out.byte(literal.value ? 1 : 0);
  }
}

function readLiteral(input: ByteReader): Literal {
  const kind = pick(LITERAL_KINDS, input.byte());
  switch (kind) {
    case "float":
    case "number":
      return { kind, value: input.float64() };
    case "integer":
      return { kind, value: input.int64() };
    case "string":
      return { kind, value: input.text() };
    case "boolean":
      return { kind, value: input.byte() === 1 };
  }
}

function writeMetadata(out: ByteWriter, metadata: Metadata): void {
  out.varint(metadata.size);
  for (const [key, value] of metadata) {
    out.text(key);
    out.text(value);
  }
}

function readMetadata(input: ByteReader): Metadata {
  return new Map(readList(input, () => [input.text(), input.text()] as const));
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
    refusal: new Refusal(reason, message, JSON.parse(input.text()) as RefusalDetails),
  };
}

function writeOptional<T>(out: ByteWriter, value: T | undefined, write: (value: T) => void): void {
  out.byte(value === undefined ? 0 : 1);
  if (value !== undefined) write(value);
}

function readOptional<T>(input: ByteReader, read: () => T): T | undefined {
  return input.byte() === 1 ? read() : undefined;
}

function writeList<T>(out: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  out.varint(items.length);
  for (const item of items) write(item);
}

function readList<T>(input: ByteReader, read: () => T): T[] {
  const items: T[] = [];
  for (let left = input.varint(); left > 0; left--) items.push(read());
  return items;
}

function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined) throw new RangeError(`record holds the unknown code ${index}`);
  return item;
}
