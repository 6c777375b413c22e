/** What a client's own calls tell about a session, to those who answer reads of it here. */
import type { Command, Revision } from "../core/commands.js";
import {
  BridgeError,
  type ErrorReason,
  SessionNotFoundError,
  VariableNotFoundError,
} from "../core/errors.js";
import type { SessionEvent } from "../core/session/event.js";

/** Who answers reads of a session from what is here. */
export interface CallListener {
  /** A call was answered with what is true at a revision. What is older is not to be read after it (ORD-1). */
  answered(revision: Revision): void;
  /** A call or a watch was refused because of what the session is, which is not known to be what is here. */
  doubted(): void;
  /** What was known of variables, by name or id, may not be so any more. Undefined: of all of them. */
  outdated(identifiers: readonly string[] | undefined): void;
}

export class OwnCalls {
  readonly #listeners = new Map<string, Set<CallListener>>();

  /** Tells a listener from now on. Returns how to stop it. */
  listen(sessionId: string, listener: CallListener): () => void {
    const listeners = this.#listeners.get(sessionId) ?? new Set();
    this.#listeners.set(sessionId, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#listeners.get(sessionId) === listeners)
        this.#listeners.delete(sessionId);
    };
  }

  answered(sessionId: string, revision: Revision): void {
    for (const listener of this.#listeners.get(sessionId) ?? []) listener.answered(revision);
  }

  /** A command was refused, or nothing is known of it. */
  failed(command: Command, error: unknown): void {
    if (!("sessionId" in command)) return;
    if (error instanceof BridgeError) this.refused(command.sessionId, error);
    if (error instanceof SessionNotFoundError) this.#outdate(command.sessionId, undefined);
    else if (error instanceof VariableNotFoundError && "identifier" in command)
      this.#outdate(command.sessionId, [command.identifier]);
  }

  /** The bridge has refused a command or a watch. */
  refused(sessionId: string, { reason }: BridgeError): void {
    if (!OF_THE_STATE.has(reason)) return;
    for (const listener of this.#listeners.get(sessionId) ?? []) listener.doubted();
  }

  /** A command has ended, whatever became of it. */
  ended(command: Command): void {
    // Where nobody listens, what a batch writes need not be listed.
    if ("sessionId" in command && this.#listeners.has(command.sessionId))
      this.#outdate(command.sessionId, writtenBy(command));
  }

  /** A watch of a session has told a commit. */
  told({ sessionId, revision, kind, changes }: SessionEvent): void {
    this.answered(sessionId, revision);
    this.#outdate(sessionId, kind === "changed" ? changes.map(({ name }) => name) : undefined);
  }

  #outdate(sessionId: string, identifiers: readonly string[] | undefined): void {
    if (identifiers?.length === 0) return;
    for (const listener of this.#listeners.get(sessionId) ?? []) listener.outdated(identifiers);
  }
}

/** Refusals that say something of what the session is. */
export const OF_THE_STATE: ReadonlySet<ErrorReason> = new Set([
  "SESSION_NOT_FOUND",
  "VARIABLE_NOT_FOUND",
  "VARIABLE_EXISTS",
  "DEFINITION_CONFLICT",
  "VERSION_CONFLICT",
  "BATCH_REFUSED",
  "HISTORY_COMPACTED",
  "WATCH_GAP",
]);

/** The variables that a command writes; undefined: all of them. */
function writtenBy(command: Command): readonly string[] | undefined {
  switch (command.kind) {
    case "setVariable":
      return [command.item.identifier];
    case "setVariables":
      return command.items.map(({ identifier }) => identifier);
    case "incrementVariable":
    case "deleteVariable":
      return [command.identifier];
    case "registerVariable":
      return [command.definition.name];
    case "ensureVariables":
      return command.definitions.map(({ name }) => name);
    case "deleteSession":
      return undefined;
    default:
      return [];
  }
}
