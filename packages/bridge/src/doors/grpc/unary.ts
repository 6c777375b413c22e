/**
 * The one handler of all unary RPCs: bytes to command, command to the engine, answer to bytes. It decides nothing.
 *
 * Nothing may be thrown out of it, and of a bug the caller learns no more than an id to look for in the log.
 */
import { randomUUID } from "node:crypto";
import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import type { Logger } from "pino";
import type { Clock } from "../../core/clock.js";
import type { Command, CommandKind, Reply } from "../../core/commands.js";
import { overLimit, Refusal } from "../../core/refusal.js";
import type { Engine } from "../../engine/engine.js";
import { ANYONE } from "../../engine/principal.js";
import { StoreError } from "../../engine/store-error.js";
import { codeOf } from "../../wire/errors.js";
import type { Rpc } from "../../wire/services.js";
import { aboutAnswer, aboutCommand } from "./call-log.js";
import { refuseClient } from "./client-version.js";
import { refused } from "./refused.js";

/** What the handlers work with. */
export interface DoorContext {
  readonly engine: Pick<Engine, "dispatch" | "limits">;
  readonly clock: Clock;
  readonly logger: Logger;
}

type Call = ServerUnaryCall<Command | Refusal, Uint8Array>;

/** The handler of an RPC. */
export function unaryHandler(context: DoorContext, rpc: Rpc): handleUnaryCall<Command | Refusal, Uint8Array> {
  return (call, callback) => {
    answer(context, rpc, call)
      .then((response) => {
        if (response instanceof Refusal) callback(refused(response, call.metadata));
        else callback(null, response);
      })
      .catch((error: unknown) => {
        callback(refused(broken(context.logger, error, rpc.kind, "may have been"), call.metadata));
      });
  };
}

async function answer(context: DoorContext, rpc: Rpc, call: Call): Promise<Uint8Array | Refusal> {
  const { clock, logger } = context;
  const debug = logger.isLevelEnabled("debug");
  const startedAt = debug ? clock.now() : 0;
  const { request: command } = call;
  const reply = command instanceof Refusal ? command : await carryOut(context, command, call);
  const response = reply instanceof Refusal ? reply : respond(context, rpc, reply);
  if (debug) {
    const refusal = response instanceof Refusal ? response : undefined;
    const what = command instanceof Refusal ? {} : aboutCommand(command);
    const outcome = aboutAnswer(refusal ?? reply);
    const code = refusal === undefined ? "OK" : codeOf(refusal.reason);
    const ms = Math.round((clock.now() - startedAt) * 1_000) / 1_000;
    logger.debug({ method: rpc.name, ...what, ...outcome, code, ms }, "call");
  }
  return response;
}

async function carryOut({ engine, clock, logger }: DoorContext, command: Command, call: Call) {
  // Whatever it is, it may ask what this is.
  const refusal = command.kind === "ping" ? undefined : refuseClient(call.metadata);
  if (refusal !== undefined) return refusal;
  try {
    return await engine.dispatch(ANYONE, command, deadlineOf(call, clock));
  } catch (error) {
    if (error instanceof StoreError) return withoutStore(error, command.kind);
    return broken(logger, error, command.kind, "may have been");
  }
}

/** gRPC gives a point on the wall clock, the engine wants one on its own. */
function deadlineOf(call: Call, clock: Clock): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? clock.now() + (deadline - Date.now()) : undefined;
}

/** The bytes of the answer, or why they cannot be sent. */
function respond({ engine, logger }: DoorContext, rpc: Rpc, reply: Reply): Uint8Array | Refusal {
  const { maxMessageBytes } = engine.limits;
  try {
    const bytes = rpc.response(reply);
    return bytes.length <= maxMessageBytes ? bytes : tooLarge(reply, bytes.length, maxMessageBytes);
  } catch (error) {
    return broken(logger, error, reply.kind, "was");
  }
}

function tooLarge({ kind }: Reply, bytes: number, limit: number): Refusal {
  const size = `the answer takes ${bytes} bytes, more than ${limit}`;
  return isWrite(kind)
    ? new Refusal("OUTCOME_UNKNOWN", `the write was carried out, but ${size}; read what became of it`)
    : overLimit("TOO_LARGE", `${size}; ask for fewer names`, "max-message-bytes", limit, bytes);
}

/** The store has failed: whoever runs the bridge is told elsewhere, and the bridge is about to stop. */
function withoutStore({ begun }: StoreError, kind: CommandKind): Refusal {
  const why = "the store of the bridge has failed";
  return begun && isWrite(kind)
    ? new Refusal("OUTCOME_UNKNOWN", `${why}; the write may have been carried out`)
    : new Refusal("SHUTTING_DOWN", `${why}; nothing was done`);
}

/** A bug. Its caller learns an id to look for in the log, and of a write that it may have happened all the same. */
function broken(logger: Logger, error: unknown, kind: CommandKind, done: "was" | "may have been"): Refusal {
  const id = randomUUID();
  logger.error({ err: error, id, command: kind }, "a bug in the bridge");
  const bug = `a bug in the bridge; the log has the details (id ${id})`;
  return isWrite(kind)
    ? new Refusal("OUTCOME_UNKNOWN", `the write ${done} carried out: ${bug}`)
    : new Refusal("INTERNAL", bug);
}

/** True if "nothing was done" would have to be true of a refusal. */
function isWrite(kind: CommandKind): boolean {
  switch (kind) {
    case "ping":
    case "getSession":
    case "listSessions":
    case "heartbeat":
    case "getVariable":
    case "getVariables":
    case "listVariables":
    case "getVariableHistory":
      return false;
    case "createSession":
    case "deleteSession":
    case "registerVariable":
    case "ensureVariables":
    case "setVariable":
    case "setVariables":
    case "incrementVariable":
    case "deleteVariable":
      return true;
  }
}
