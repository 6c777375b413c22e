/** The handler of unary RPCs over HTTP. JSON becomes bytes and bytes JSON; between them is what gRPC has too. */
import { Refusal } from "../../core/refusal.js";
import { UNARY_TYPE } from "../../wire/connect.js";
import { bytesFromJson, jsonFromBytes } from "../../wire/json.js";
import type { Rpc } from "../../wire/services.js";
import { answer as answerCommand, broken, type DoorContext } from "../answering.js";
import { answer, answerError } from "./answers.js";
import { type Asked, bodyOf } from "./request.js";

export async function serveUnary(
  context: DoorContext,
  rpc: Rpc,
  { request, response, form, refusal, timeoutMs }: Asked,
): Promise<void> {
  const { clock, engine, logger } = context;
  const deadline = timeoutMs === undefined ? undefined : clock.now() + timeoutMs;
  const body = await bodyOf(request, engine.limits.maxMessageBytes);
  const bytes = form === "json" && !(body instanceof Refusal) ? bytesFromJson(rpc.input, body) : body;
  const command = bytes instanceof Refusal ? bytes : rpc.command(bytes);
  const way = { method: rpc.name, deadline, encode: rpc.response, refusal };
  const reply = await answerCommand(context, command, way);
  if (reply instanceof Refusal) return answerError(response, reply);
  try {
    answer(response, 200, UNARY_TYPE[form], form === "json" ? jsonFromBytes(rpc.output, reply) : reply);
  } catch (error) {
    answerError(response, broken(logger, error, rpc.kind, "was"));
  }
}
