/**
 * The parts that records and snapshots share: variables, literals, metadata, lists. Each is written in one fixed form,
 * which is part of the format of whatever contains it.
 */
import type { Constraint, Limits } from "../core/constraints.js";
import type { KnownLiteral, Stored } from "../core/literal.js";
import type { Metadata } from "../core/metadata.js";
import { Refusal } from "../core/refusal.js";
import { type TypeName, valueType } from "../core/values/registry.js";
import { literalOf } from "../core/values/types.js";
import type { Variable } from "../core/variable.js";
import type { ByteReader, ByteWriter } from "./bytes.js";

/** Places in these lists are part of the format: a place is never given to another word. */
const LITERAL_KINDS = [
  "float",
  "integer",
  "number",
  "string",
  "boolean",
  "json",
] as const satisfies readonly KnownLiteral["kind"][];
const TYPES = [
  "float",
  "integer",
  "string",
  "boolean",
  "choice",
  "json",
] as const satisfies readonly TypeName[];

/** Writes a type by its place. */
export function writeType(out: ByteWriter, type: TypeName): void {
  out.byte(TYPES.indexOf(type));
}

export function readType(input: ByteReader): TypeName {
  return pick(TYPES, input.byte());
}

/** Writes a value as the literal it travels as. */
export function writeValue(out: ByteWriter, type: TypeName, value: Stored): void {
  writeLiteral(out, literalOf(type, value));
}

export function writeVariable(out: ByteWriter, variable: Variable): void {
  out.text(variable.id);
  out.text(variable.name);
  writeType(out, variable.type);
  writeValue(out, variable.type, variable.value);
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

export function readVariable(input: ByteReader): Variable {
  const id = input.text();
  const name = input.text();
  const type = readType(input);
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

export function readValue(input: ByteReader, type: TypeName): Stored {
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

function writeLiteral(out: ByteWriter, literal: KnownLiteral): void {
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
    case "json":
      out.text(literal.value);
      return;
    case "boolean":
      out.byte(literal.value ? 1 : 0);
  }
}

function readLiteral(input: ByteReader): KnownLiteral {
  const kind = pick(LITERAL_KINDS, input.byte());
  switch (kind) {
    case "float":
    case "number":
      return { kind, value: input.float64() };
    case "integer":
      return { kind, value: input.int64() };
    case "string":
    case "json":
      return { kind, value: input.text() };
    case "boolean":
      return { kind, value: input.byte() === 1 };
  }
}

export function writeMetadata(out: ByteWriter, metadata: Metadata): void {
  out.varint(metadata.size);
  for (const [key, value] of metadata) {
    out.text(key);
    out.text(value);
  }
}

export function readMetadata(input: ByteReader): Metadata {
  return new Map(readList(input, () => [input.text(), input.text()] as const));
}

export function writeOptional<T>(out: ByteWriter, value: T | undefined, write: (value: T) => void): void {
  out.byte(value === undefined ? 0 : 1);
  if (value !== undefined) write(value);
}

export function readOptional<T>(input: ByteReader, read: () => T): T | undefined {
  return input.byte() === 1 ? read() : undefined;
}

export function writeList<T>(out: ByteWriter, items: readonly T[], write: (item: T) => void): void {
  out.varint(items.length);
  for (const item of items) write(item);
}

export function readList<T>(input: ByteReader, read: () => T): T[] {
  const items: T[] = [];
  for (let left = input.varint(); left > 0; left--) items.push(read());
  return items;
}

export function pick<T>(list: readonly T[], index: number): T {
  const item = list[index];
  if (item === undefined)
    throw new RangeError(`record holds the code ${index}, which this version does not know`);
  return item;
}
