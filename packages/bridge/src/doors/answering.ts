/**
 * From a command to its answer, whatever the way that it came: to the engine, and the reply to bytes. It decides nothing.
 *
 * Nothing is thrown out of here, and of a bug the caller learns no more than an id to look for in the log.
 */
import { randomUUID } from "node:crypto";
import type { Logger } from "pino";
import type { Clock } from "../core/clock.js";
import type { Command, CommandKind, Reply } from "../core/commands.js";
import { overLimit, Refusal } from "../core/refusal.js";
import type { Engine } from "../engine/engine.js";
import { ANYONE } from "../engine/principal.js";
import { StoreError } from "../engine/store-error.js";
import type { Notify, Subscription } from "../engine/subscription.js";
import { codeOf } from "../wire/errors.js";
import { aboutAnswer, aboutCommand } from "./call-log.js";
import type { Telling } from "./tellings.js";

/** What the handlers work with. */
export interface DoorContext {
  readonly engine: Pick<Engine, "dispatch" | "watch" | "follow" | "limits">;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How a command came. */
export interface Way {
  /** Why its client may ask nothing but what this is; undefined if it may ask everything. */
  readonly refusal: Refusal | undefined;
  /** For the log. */
  readonly method: string;
  /** On the engine's clock; undefined: the caller waits for ever. */
  readonly deadline: number | undefined;
  /** The bytes of its reply. */
  encode(reply: Reply): Uint8Array;
}

/** Has a command carried out. The bytes of the answer, or why there is none. */
export async function answer(
  context: DoorContext,
  command: Command | Refusal,
  way: Way,
): Promise<Uint8Array | Refusal> {
  const { clock, logger } = context;
  const debug = logger.isLevelEnabled("debug");
  const startedAt = debug ? clock.now() : 0;
  const reply = command instanceof Refusal ? command : await carryOut(context, command, way);
  const response = reply instanceof Refusal ? reply : encoded(context, reply, way);
  if (debug) {
    const refusal = response instanceof Refusal ? response : undefined;
    const what = command instanceof Refusal ? {} : aboutCommand(command);
    const outcome = aboutAnswer(refusal ?? reply);
    const code = refusal === undefined ? "OK" : codeOf(refusal.reason);
    const ms = Math.round((clock.now() - startedAt) * 1_000) / 1_000;
    logger.debug({ method: way.method, ...what, ...outcome, code, ms }, "call");
  }
  return response;
}

/** Has a watch begun. The watch, or why there is none. */
export async function beginWatch<A extends { readonly sessionId: string }, T>(
  { engine, logger }: DoorContext,
  { method, refusal }: Pick<Way, "method" | "refusal">,
  telling: Pick<Telling<A, T>, "begin">,
  asked: A | Refusal,
  notify: Notify<T>,
): Promise<Subscription<T> | Refusal> {
  const begun = asked instanceof Refusal ? asked : (refusal ?? (await begin()));
  const session = asked instanceof Refusal ? undefined : asked.sessionId;
  const reason = begun instanceof Refusal ? begun.reason : undefined;
  logger.debug({ method, session, reason, code: reason === undefined ? "OK" : codeOf(reason) }, "watch");
  return begun;

  async function begin(): Promise<Subscription<T> | Refusal> {
    try {
      return await telling.begin(engine, asked as A, notify);
    } catch (error) {
      return error instanceof StoreError
        ? new Refusal("SHUTTING_DOWN", "the store of the bridge has failed")
        : brokenWatch(logger, error);
    }
  }
}

async function carryOut({ engine, logger }: DoorContext, command: Command, { refusal, deadline }: Way) {
  if (refusal !== undefined && command.kind !== "ping") return refusal;
  try {
    return await engine.dispatch(ANYONE, command, deadline);
  } catch (error) {
    if (error instanceof StoreError) return withoutStore(error, command.kind);
    return broken(logger, error, command.kind, "may have been");
  }
}

/** The bytes of the answer, or why they cannot be sent. */
function encoded({ engine, logger }: DoorContext, reply: Reply, way: Way): Uint8Array | Refusal {
  const { maxMessageBytes } = engine.limits;
  try {
    const bytes = way.encode(reply);
    return bytes.length <= maxMessageBytes ? bytes : tooLarge(reply, bytes.length, maxMessageBytes);
  } catch (error) {
    return broken(logger, error, reply.kind, "was");
  }
}

/** Refuses a request for its length. */
export function tooLong(bytes: number, limit: number): Refusal {
  const text = `the request takes ${bytes} bytes, more than ${limit}`;
  return overLimit("TOO_LARGE", text, "max-message-bytes", limit, bytes);
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
export function broken(
  logger: Logger,
  error: unknown,
  kind: CommandKind,
  done: "was" | "may have been",
): Refusal {
  const bug = aBug(logger, error, kind);
  return isWrite(kind)
    ? new Refusal("OUTCOME_UNKNOWN", `the write ${done} carried out: ${bug}`)
    : new Refusal("INTERNAL", bug);
}

/** A bug in a watch. Its caller learns an id to look for in the log. */
export function brokenWatch(logger: Logger, error: unknown): Refusal {
  return new Refusal("INTERNAL", aBug(logger, error, "watch"));
}

/** Logs a bug. What its caller is told. */
function aBug(logger: Logger, error: unknown, command: CommandKind | "watch"): string {
  const id = randomUUID();
  logger.error({ err: error, id, command }, "a bug in the bridge");
  return `a bug in the bridge; the log has the details (id ${id})`;
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
