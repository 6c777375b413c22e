/** What a watch shows of a commit: plain frozen objects, as everything that a client answers (`views.ts`). */
import type { SessionEvent, VariableAt, VariableChange } from "../core/session/event.js";
import { fromStored, type VariableValue } from "./values.js";

/** A commit of a session. */
export interface SessionEventView<C = ChangeView> {
  /**
   * `created`: the session begins, and `changes` has the variables that were created with it. `deleted`, `expired`: it ends. Its
   * watch goes on, and is told when the session is created again.
   */
  readonly kind: "changed" | "created" | "deleted" | "expired";
  readonly sessionId: string;
  /** The revision of the session that the commit made. */
  readonly revision: number;
  /** The language of the writer: `typescript`, `python`, …; `expiry` where nobody wrote. */
  readonly source: string;
  /** When, by the server's wall clock. */
  readonly at: Date;
  /** The metadata of this commit alone. */
  readonly metadata: ReadonlyMap<string, string>;
  /** The changes that were asked for, each variable at most once. */
  readonly changes: readonly C[];
}

/** What a commit did to one variable. Equal versions: it was defined anew, and not set. */
export interface ChangeView<N extends string = string, V = VariableValue> {
  readonly name: N;
  /** Its value now. Undefined if it was deleted; with a version, if it was too long to be told and has to be read. */
  readonly value: V | undefined;
  /** Its version now; undefined if it was deleted. */
  readonly version: number | undefined;
  /**
   * Its value before. Undefined if it did not exist; with a version, if the bridge could not tell: what a commit replaced
   * is known while it happens, and of those that were missed only what another of them had made.
   */
  readonly previous: V | undefined;
  /** Its version before; undefined if it did not exist. */
  readonly previousVersion: number | undefined;
}

/** The value on one side of a change; undefined if it is not known. */
export type ReadSide = (name: string, side: VariableAt, isNow: boolean) => unknown;

/** Reads a value as what it is. */
const asItIs: ReadSide = (_, { type, value }) =>
  type === undefined || value === undefined ? undefined : fromStored(type, value);

export function viewEvent<C extends ChangeView = ChangeView>(
  event: SessionEvent,
  read: ReadSide = asItIs,
): SessionEventView<C> {
  const { kind, sessionId, revision, source, wallTimeMs, metadata, changes } = event;
  return Object.freeze({
    kind,
    sessionId,
    revision: revision.number,
    source,
    at: new Date(wallTimeMs),
    metadata: new Map(metadata),
    changes: Object.freeze(changes.map((change) => viewChange(change, read) as C)),
  });
}

function viewChange({ name, before, after }: VariableChange, read: ReadSide): ChangeView {
  return Object.freeze({
    name,
    value: after && (read(name, after, true) as VariableValue | undefined),
    version: after?.version,
    previous: before && (read(name, before, false) as VariableValue | undefined),
    previousVersion: before?.version,
  });
}
