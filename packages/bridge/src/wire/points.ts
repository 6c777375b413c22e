/** Points in the life of a session and in time, ids of requests, and durations, between the domain and the contract. */
import type { Duration, Timestamp } from "@bufbuild/protobuf/wkt";
import type { RequestId, Revision } from "../core/commands.js";
import type { RequestId as PbRequestId } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import type { Revision as PbRevision } from "./gen/snakepit/bridge/v1/values_pb.js";
import { fromUint64, required, toUint64, unfitField } from "./unfit.js";

export function revisionToProto({ incarnation, number, check }: Revision): PbRevision {
  return {
    $typeName: "snakepit.bridge.v1.Revision",
    incarnation: hexToBytes(incarnation),
    number: toUint64(number, "number"),
    commitCheck: check,
  };
}

export function revisionFromProto(message: PbRevision | undefined): Revision {
  const { incarnation, number, commitCheck } = required(message, "revision");
  return { incarnation: bytesToHex(incarnation), number: fromUint64(number, "number"), check: commitCheck };
}

export function requestIdToProto({ clientId, sequence }: RequestId): PbRequestId {
  if (!HEX.test(clientId)) unfitField("request_id", "client_id has to be bytes in hex");
  return {
    $typeName: "snakepit.bridge.v1.RequestId",
    clientId: hexToBytes(clientId),
    sequence: toUint64(sequence, "request_id"),
  };
}

/** A sequence that a double cannot hold is rounded here, to one that the domain refuses as well. */
export function requestIdFromProto({ clientId, sequence }: PbRequestId): RequestId {
  return { clientId: bytesToHex(clientId), sequence: Number(sequence) };
}

const HEX = /^(?:[0-9a-f]{2})*$/;

function bytesToHex(bytes: Uint8Array): string {
  let hex = "";
  for (const byte of bytes) hex += byte.toString(16).padStart(2, "0");
  return hex;
}

function hexToBytes(hex: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(hex.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(hex.slice(2 * i, 2 * i + 2), 16);
  return bytes;
}

export function timestampToProto(ms: number): Timestamp {
  const { seconds, nanos } = split(ms);
  return { $typeName: "google.protobuf.Timestamp", seconds, nanos };
}

export function timestampFromProto(message: Timestamp | undefined, field: string): number {
  const { seconds, nanos } = required(message, field);
  return Number(seconds) * 1_000 + Math.floor(nanos / 1e6);
}

export function durationToProto(ms: number, field: string): Duration {
  if (!Number.isSafeInteger(Math.trunc(ms))) unfitField(field, "is no duration in milliseconds");
  // Both parts of a duration have its sign.
  const { seconds, nanos } = split(Math.abs(ms));
  return ms < 0
    ? { $typeName: "google.protobuf.Duration", seconds: -seconds, nanos: -nanos }
    : { $typeName: "google.protobuf.Duration", seconds, nanos };
}

/**
 * The milliseconds of a duration. Parts of one count as a whole, away from zero: so the shortest time is not 0, which
 * would be no limit, and a negative one stays one.
 */
export function durationFromProto({ seconds, nanos }: Duration): number {
  const ms = Number(seconds) * 1_000 + nanos / 1e6;
  return ms < 0 ? Math.floor(ms) : Math.ceil(ms);
}

/** Milliseconds as whole seconds and the nanoseconds beyond them, which are never negative. */
function split(ms: number): { seconds: bigint; nanos: number } {
  const seconds = Math.floor(ms / 1_000);
  return { seconds: BigInt(seconds), nanos: Math.round((ms - seconds * 1_000) * 1e6) };
}
