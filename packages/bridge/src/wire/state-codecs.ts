/** The state of a session, between the domain and the contract: what a follower asks for, and what it is told. */
import type { Revision } from "../core/commands.js";
import { errorFor, errorFrom } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import type { Follow, StateEntry, StateUpdate } from "../core/state-update.js";
import { literalOf } from "../core/values/types.js";
import { decode, encode } from "./bytes.js";
import {
  type StateEntry as PbStateEntry,
  type StateUpdate as PbStateUpdate,
  type StateRequest,
  StateRequestSchema,
  StateUpdateSchema,
} from "./gen/snakepit/bridge/v1/state_pb.js";
import { revisionFromProto, revisionToProto } from "./points.js";
import { encodableAs, fitting, fromUint64, optional, toUint64, unfitField } from "./unfit.js";
import { literalToProto, storedFromProto, typeFromProto, typeToProto } from "./values.js";

/** The bytes of what a follower asks for. Throws InvalidInputError for what no message can carry. */
export function followBytes({ sessionId, after, passive }: Follow): Uint8Array {
  const message = fitting(
    (): StateRequest => ({
      $typeName: "snakepit.bridge.v1.StateRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      ...optional("after", after && revisionToProto(after)),
      passive,
    }),
  );
  if (message instanceof Refusal) throw errorFrom(message);
  return encode(StateRequestSchema, message);
}

/** What these bytes ask for, or why it is nothing. */
export function followFromBytes(bytes: Uint8Array): Follow | Refusal {
  const message = decode(StateRequestSchema, bytes);
  if (message instanceof Refusal) return message;
  return fitting(() => {
    const { sessionId, after, passive } = message;
    return { sessionId, ...optional("after", pointFromProto(after)), passive };
  });
}

/** Of updates and revisions that many are told, so that each is made into bytes once. */
const encodedUpdates = new WeakMap<StateUpdate, Uint8Array>();
const encodedStandings = new WeakMap<Revision, Uint8Array>();

/** The bytes of what a follower is told. */
export function updateBytes(update: StateUpdate): Uint8Array {
  const known = encodedUpdates.get(update);
  if (known !== undefined) return known;
  const bytes = encode(StateUpdateSchema, updateToProto(update));
  encodedUpdates.set(update, bytes);
  return bytes;
}

/** The bytes of an update that says that nothing has changed. */
export function standingBytes(revision: Revision): Uint8Array {
  const known = encodedStandings.get(revision);
  if (known !== undefined) return known;
  const bytes = updateBytes({ base: revision, revision, changed: [], deleted: [], more: false });
  encodedStandings.set(revision, bytes);
  return bytes;
}

/**
 * What these bytes tell.
 *
 * @throws BridgeError with reason PROTOCOL if they make no sense
 */
export function updateFromBytes(bytes: Uint8Array): StateUpdate {
  const message = decode(StateUpdateSchema, bytes);
  const update = message instanceof Refusal ? message : fitting(() => updateFromProto(message));
  if (!(update instanceof Refusal)) return update;
  throw errorFor("PROTOCOL", `what the bridge tells makes no sense: ${update.message}`);
}

function updateToProto({ base, revision, changed, deleted, more }: StateUpdate): PbStateUpdate {
  return {
    $typeName: "snakepit.bridge.v1.StateUpdate",
    ...optional("base", base && revisionToProto(base)),
    revision: revisionToProto(revision),
    changed: changed.map(entryToProto),
    deleted: [...deleted],
    more,
  };
}

function updateFromProto({ base, revision, changed, deleted, more }: PbStateUpdate): StateUpdate {
  return {
    ...optional("base", pointFromProto(base)),
    revision: revisionFromProto(revision),
    changed: changed.map(entryFromProto),
    deleted,
    more,
  };
}

function pointFromProto(point: StateRequest["after"]): Revision | undefined {
  return point === undefined ? undefined : revisionFromProto(point);
}

function entryToProto({ name, id, version, type, value }: StateEntry): PbStateEntry {
  const known = value === undefined ? undefined : literalToProto(literalOf(type, value));
  return {
    $typeName: "snakepit.bridge.v1.StateEntry",
    name,
    id,
    version: toUint64(version, "version"),
    type: typeToProto(type),
    ...optional("value", known),
  };
}

function entryFromProto(message: PbStateEntry): StateEntry {
  const { name, id } = message;
  const version = fromUint64(message.version, "version");
  if (message.value !== undefined) return { name, id, version, ...storedFromProto(message) };
  return {
    name,
    id,
    version,
    type: typeFromProto(message.type) ?? unfitField("type", "is none that this version knows"),
  };
}
