/** How each command travels as a unary call: the path of its RPC, its request as bytes, its reply out of bytes. */
import type { Command, CommandKind, ReplyTo } from "../../core/commands.js";
import { errorFor, errorFrom } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import { decode, encode } from "../../wire/bytes.js";
import { requestFor } from "../../wire/commands.js";
import { SessionService } from "../../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import { replyFromResponse } from "../../wire/replies.js";

type Method = (typeof SessionService)["methods"][number];

/** The RPC of a command is the one of the same name. */
const METHODS: ReadonlyMap<string, Method> = new Map(
  [...SessionService.methods, ...VariableService.methods].map((method) => [method.localName, method]),
);

function methodOf(kind: CommandKind): Method {
  const method = METHODS.get(kind);
  if (method === undefined) throw new Error(`the contract has no RPC for ${kind}`);
  return method;
}

/** The path of the RPC for commands of a kind. */
export function pathOf(kind: CommandKind): string {
  const { parent, name } = methodOf(kind);
  return `/${parent.typeName}/${name}`;
}

/** The request for a command. Throws InvalidInputError for what no message can carry. */
export function encodeRequest<C extends Command>(command: C): Buffer {
  const request = requestFor(command as never, command.kind);
  if (request instanceof Refusal) throw errorFrom(request);
  const bytes = encode(methodOf(command.kind).input, request as never);
  // gRPC writes Buffers only. No byte is copied.
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** The reply in a response. Throws InternalError with reason PROTOCOL if it makes no sense. */
export function decodeReply<K extends CommandKind>(kind: K, bytes: Uint8Array): ReplyTo<K> {
  const response = decode(methodOf(kind).output, bytes);
  if (response instanceof Refusal)
    throw errorFor("PROTOCOL", `the answer makes no sense: ${response.message}`);
  return replyFromResponse(kind, response as never);
}
