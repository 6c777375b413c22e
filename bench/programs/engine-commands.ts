/** The commands of the workload, for an engine in process. */
import type { Command } from "../../packages/bridge/dist/core/commands.js";
import { Refusal } from "../../packages/bridge/dist/core/refusal.js";
import type { Engine } from "../../packages/bridge/dist/engine/engine.js";
import { ANYONE } from "../../packages/bridge/dist/engine/principal.js";
import { MAX, METADATA, MIN, nextValue, SESSION, VARIABLE } from "./workload.js";

const SOURCE = "typescript";

/** Has a command carried out; rejects if it is refused. */
export async function dispatch(engine: Engine, command: Command): Promise<void> {
  const answer = await engine.dispatch(ANYONE, command);
  if (answer instanceof Refusal) throw new Error(answer.message);
}

export function createSession(sessionId = SESSION): Command {
  return { kind: "createSession", sessionId, metadata: [], source: SOURCE };
}

export function registerVariable(sessionId = SESSION, name = VARIABLE): Command {
  return {
    kind: "registerVariable",
    sessionId,
    definition: {
      name,
      type: "float",
      initialValue: { kind: "float", value: MIN },
      constraints: [
        { key: "min", values: [{ kind: "float", value: MIN }] },
        { key: "max", values: [{ kind: "float", value: MAX }] },
      ],
      metadata: METADATA,
    },
    onMissing: "fail",
    source: SOURCE,
  };
}

export function getVariable(sessionId = SESSION, identifier = VARIABLE): Command {
  return { kind: "getVariable", sessionId, identifier };
}

/** Sets the variable to another value. */
export function setVariable(sessionId = SESSION, identifier = VARIABLE): Command {
  return {
    kind: "setVariable",
    sessionId,
    item: { identifier, value: { kind: "float", value: nextValue() } },
    onMissing: "fail",
    metadata: [],
    source: SOURCE,
  };
}
