/** Watches, between the domain and the contract: what is asked for, and what is told. */
import type { Revision } from "../core/commands.js";
import { errorFor, errorFrom } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import type { SessionEvent, VariableAt, VariableChange } from "../core/session/event.js";
import { literalOf } from "../core/values/types.js";
import type { Told, Watch } from "../core/watch.js";
import { decode, encode } from "./bytes.js";
import {
  type SessionEvent as PbSessionEvent,
  type VariableAt as PbVariableAt,
  type VariableChange as PbVariableChange,
  SessionEventKind,
  type WatchRequest,
  WatchRequestSchema,
  type WatchResponse,
  WatchResponseSchema,
} from "./gen/snakepit/bridge/v1/variables_pb.js";
import { revisionFromProto, revisionToProto, timestampFromProto, timestampToProto } from "./points.js";
import {
  type Assert,
  encodable,
  encodableAs,
  fitting,
  fromUint64,
  optional,
  type Same,
  toUint64,
  unfitField,
} from "./unfit.js";
import {
  checkedMetadataFromProto,
  literalToProto,
  metadataToProto,
  storedFromProto,
  typeFromProto,
  typeToProto,
} from "./values.js";

/** The bytes of what a watcher asks for. Throws InvalidInputError for what no message can carry. */
export function watchBytes({ sessionId, names, glob, after, passive }: Watch): Uint8Array {
  const message = fitting(
    (): WatchRequest => ({
      $typeName: "snakepit.bridge.v1.WatchRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      names: names.map((name) => encodableAs(name, "INVALID_NAME")),
      ...optional("glob", glob === undefined ? undefined : encodable(glob, "glob")),
      ...optional("after", after && revisionToProto(after)),
      passive,
    }),
  );
  if (message instanceof Refusal) throw errorFrom(message);
  return encode(WatchRequestSchema, message);
}

/** What these bytes ask for, or why it is nothing. */
export function watchFromBytes(bytes: Uint8Array): Watch | Refusal {
  const message = decode(WatchRequestSchema, bytes);
  if (message instanceof Refusal) return message;
  return fitting(() => {
    const { sessionId, names, glob, after, passive } = message;
    const point = after === undefined ? undefined : revisionFromProto(after);
    return { sessionId, names, ...optional("glob", glob), ...optional("after", point), passive };
  });
}

/** How much of an event is told, from all of it to what always fits. */
const SHORTENINGS: readonly ((side: VariableAt | undefined, isAfter: boolean) => VariableAt | undefined)[] = [
  (side) => side,
  (side, isAfter) => (isAfter ? side : withoutValue(side)),
  withoutValue,
];

/** Of events and revisions that many are told, so that each is made into bytes once. */
const encodedEvents = new WeakMap<SessionEvent, Uint8Array>();
const encodedBookmarks = new WeakMap<Revision, Uint8Array>();

/**
 * The bytes of what a watcher is told.
 *
 * @param maxBytes what a message may have: of a longer one values are left out, those before the change first
 */
export function toldBytes(told: Told, maxBytes: number): Uint8Array {
  if (told.kind === "bookmark") return bookmarkBytes(told.revision);
  const { event } = told;
  const known = encodedEvents.get(event);
  if (known !== undefined) return known;
  const bytes = eventBytes(event, maxBytes);
  encodedEvents.set(event, bytes);
  return bytes;
}

/** The bytes of a bookmark. */
export function bookmarkBytes(revision: Revision): Uint8Array {
  const known = encodedBookmarks.get(revision);
  if (known !== undefined) return known;
  const bytes = encode(WatchResponseSchema, response({ case: "bookmark", value: revisionToProto(revision) }));
  encodedBookmarks.set(revision, bytes);
  return bytes;
}

function eventBytes(event: SessionEvent, maxBytes: number): Uint8Array {
  let bytes = new Uint8Array();
  for (const shorten of SHORTENINGS) {
    const changes = event.changes.map((change) => ({
      ...change,
      ...optional("before", shorten(change.before, false)),
      ...optional("after", shorten(change.after, true)),
    }));
    const value = eventToProto({ ...event, changes });
    bytes = encode(WatchResponseSchema, response({ case: "event", value }));
    if (bytes.length <= maxBytes) break;
  }
  return bytes;
}

function withoutValue(side: VariableAt | undefined): VariableAt | undefined {
  return side && { version: side.version, ...optional("type", side.type) };
}

function response(kind: WatchResponse["kind"]): WatchResponse {
  return { $typeName: "snakepit.bridge.v1.WatchResponse", kind };
}

/**
 * What these bytes tell.
 *
 * @throws BridgeError with reason PROTOCOL if they make no sense
 */
export function toldFromBytes(bytes: Uint8Array): Told {
  const message = decode(WatchResponseSchema, bytes);
  const told = message instanceof Refusal ? message : fitting(() => toldFromProto(message));
  if (!(told instanceof Refusal)) return told;
  throw errorFor("PROTOCOL", `what the bridge tells makes no sense: ${told.message}`);
}

function toldFromProto({ kind }: WatchResponse): Told {
  switch (kind.case) {
    case "bookmark":
      return { kind: "bookmark", revision: revisionFromProto(kind.value) };
    case "event":
      return { kind: "event", event: eventFromProto(kind.value) };
    default:
      return unfitField("kind", "is none that this version knows");
  }
}

/** The kinds of events of the domain are those of the contract. */
export type EventKindsAgree = Assert<
  Same<Uppercase<SessionEvent["kind"]> | "UNSPECIFIED", keyof typeof SessionEventKind>
>;
const KINDS: ReadonlyMap<number, SessionEvent["kind"]> = new Map(
  (["changed", "created", "deleted", "expired"] as const).map((kind) => [kindToProto(kind), kind]),
);

function kindToProto(kind: SessionEvent["kind"]): SessionEventKind {
  return SessionEventKind[kind.toUpperCase() as Uppercase<SessionEvent["kind"]>];
}

function eventToProto(event: SessionEvent): PbSessionEvent {
  const { sessionId, revision, kind, source, wallTimeMs, metadata, changes } = event;
  return {
    $typeName: "snakepit.bridge.v1.SessionEvent",
    sessionId,
    revision: revisionToProto(revision),
    kind: kindToProto(kind),
    source,
    committedAt: timestampToProto(wallTimeMs),
    metadata: metadataToProto(metadata),
    changes: changes.map(changeToProto),
  };
}

function eventFromProto(message: PbSessionEvent): SessionEvent {
  const { sessionId, revision, kind, source, committedAt, metadata, changes } = message;
  return {
    sessionId,
    revision: revisionFromProto(revision),
    kind: KINDS.get(kind) ?? unfitField("kind", `${kind} is none that this version knows`),
    source,
    wallTimeMs: timestampFromProto(committedAt, "committed_at"),
    metadata: checkedMetadataFromProto(metadata),
    changes: changes.map(changeFromProto),
  };
}

function changeToProto({ name, id, before, after }: VariableChange): PbVariableChange {
  return {
    $typeName: "snakepit.bridge.v1.VariableChange",
    name,
    ...optional("id", id),
    ...optional("before", before && sideToProto(before)),
    ...optional("after", after && sideToProto(after)),
  };
}

function changeFromProto({ name, id, before, after }: PbVariableChange): VariableChange {
  return {
    name,
    ...optional("id", id),
    ...optional("before", before && sideFromProto(before)),
    ...optional("after", after && sideFromProto(after)),
  };
}

function sideToProto({ version, type, value }: VariableAt): PbVariableAt {
  const known =
    type === undefined || value === undefined ? undefined : literalToProto(literalOf(type, value));
  return {
    $typeName: "snakepit.bridge.v1.VariableAt",
    version: toUint64(version, "version"),
    type: typeToProto(type ?? ""),
    ...optional("value", known),
  };
}

function sideFromProto(message: PbVariableAt): VariableAt {
  const version = fromUint64(message.version, "version");
  if (message.value !== undefined) return { version, ...storedFromProto(message) };
  return { version, ...optional("type", typeFromProto(message.type)) };
}
