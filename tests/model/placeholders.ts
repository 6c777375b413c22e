/** Puts what is known by the time of a step in the places of the placeholders in its commands. */
import type { Command, SetItem } from "../../packages/bridge/src/core/commands.js";
import { CURRENT_VERSION, NEXT_VERSION } from "./arbitraries.js";
import { FORMER_ID_OF, ID_OF } from "./pools.js";
import { hasIdForm } from "./rules.js";
import type { ModelSession } from "./state.js";

export class Placeholders {
  /** Session id and name to the first id that the name had. */
  readonly #formerIds = new Map<string, string>();

  /** Takes note of the ids that a session's variables have. */
  learn(session: ModelSession): void {
    for (const { name, id } of session.variables.values()) {
      const key = `${session.id}\n${name}`;
      if (!this.#formerIds.has(key)) this.#formerIds.set(key, id);
    }
  }

  /** The command to send to a session that stands so. */
  resolve(command: Command, session: ModelSession | undefined): Command {
    if (!("sessionId" in command)) return command;
    const identifier = (text: string): string => this.#identifier(text, command.sessionId, session);
    const item = (given: SetItem): SetItem => {
      const resolved = { ...given, identifier: identifier(given.identifier) };
      if (given.expectedVersion === undefined || given.expectedVersion >= 0) return resolved;
      const current = session && versionOf(session, resolved.identifier);
      const later =
        given.expectedVersion === NEXT_VERSION ? 1 : given.expectedVersion === CURRENT_VERSION ? 0 : 2;
      return { ...resolved, expectedVersion: (current ?? 1) + later };
    };
    switch (command.kind) {
      case "getVariable":
      case "getVariableHistory":
      case "incrementVariable":
      case "deleteVariable":
        return { ...command, identifier: identifier(command.identifier) };
      case "getVariables":
        return { ...command, identifiers: command.identifiers.map(identifier) };
      case "setVariable":
        return { ...command, item: item(command.item) };
      case "setVariables":
        return { ...command, items: command.items.map(item) };
      default:
        return command;
    }
  }

  #identifier(text: string, sessionId: string, session: ModelSession | undefined): string {
    if (text.startsWith(ID_OF)) {
      const name = text.slice(ID_OF.length);
      return session?.variables.get(name)?.id ?? `var_${name}_1`;
    }
    if (!text.startsWith(FORMER_ID_OF)) return text;
    const name = text.slice(FORMER_ID_OF.length);
    return this.#formerIds.get(`${sessionId}\n${name}`) ?? `var_${name}_2`;
  }
}

function versionOf(session: ModelSession, identifier: string): number | undefined {
  return [...session.variables.values()].find(({ id, name }) => id === identifier || name === identifier)
    ?.version;
}

/** True for an id that the present variable of its name does not have. */
export function isFormerId(session: ModelSession, identifier: string): boolean {
  return [...session.variables.values()].some(
    ({ id, name }) => identifier !== id && identifier.startsWith(`var_${name}_`) && hasIdForm(identifier),
  );
}
