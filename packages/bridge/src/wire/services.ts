/**
 * The services of the contract as doors and transports need them: names, paths, and bytes to commands and replies to
 * bytes. A unary RPC that is added to the contract is here, without a line of code.
 */
import type { DescMessage, DescMethod, DescService } from "@bufbuild/protobuf";
import type { Command, CommandKind, Reply } from "../core/commands.js";
import { errorFor, errorFrom } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import { decode, encode } from "./bytes.js";
import { commandFromRequest, requestFor } from "./commands.js";
import { SessionService } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableService } from "./gen/snakepit/bridge/v1/variables_pb.js";
import { pathOf } from "./paths.js";
import { replyFromResponse, responseFor } from "./replies.js";

/** Any RPC. */
export interface AnyRpc {
  /** As the contract has it: `GetVariable`. */
  readonly name: string;
  /** The path of its requests over HTTP. */
  readonly path: string;
  /** The messages that go in and come out. */
  readonly input: DescMessage;
  readonly output: DescMessage;
}

/** One unary RPC. */
export interface Rpc extends AnyRpc {
  /** The kind of its commands and replies. */
  readonly kind: CommandKind;
  /** The command in the bytes of a request, or why there is none. */
  command(bytes: Uint8Array): Command | Refusal;
  /** The bytes of the response. */
  response(reply: Reply): Uint8Array;
  /** The bytes of the request for a command. Throws InvalidInputError for what no message can carry. */
  request(command: Command): Uint8Array;
  /** The reply in the bytes of a response. Throws a BridgeError with reason PROTOCOL if they make no sense. */
  reply(bytes: Uint8Array): Reply;
}

/** One RPC that answers with a stream, which other codecs know. */
export interface StreamRpc extends AnyRpc {
  readonly kind: "watch" | "follow";
}

export interface Service {
  /** The full name. */
  readonly name: string;
  readonly rpcs: readonly Rpc[];
  readonly streams: readonly StreamRpc[];
}

/** What a bridge serves. */
export const SERVICES: readonly Service[] = [SessionService, VariableService].map(serviceOf);

function serviceOf(service: DescService): Service {
  const those = (kind: DescMethod["methodKind"]) =>
    service.methods.filter(({ methodKind }) => methodKind === kind);
  return {
    name: service.typeName,
    rpcs: those("unary").map(rpcOf),
    streams: those("server_streaming").map((method) => ({
      ...anyRpcOf(method),
      kind: method.localName as StreamRpc["kind"],
    })),
  };
}

function anyRpcOf(method: DescMethod): AnyRpc {
  const { name, input, output } = method;
  return { name, path: pathOf(method), input, output };
}

function rpcOf(method: DescMethod): Rpc {
  const { input, output } = method;
  // The arm of a command has the name of its RPC.
  const kind = method.localName as CommandKind;
  return {
    ...anyRpcOf(method),
    kind,
    command(bytes) {
      const request = decode(input, bytes);
      return request instanceof Refusal ? request : commandFromRequest(kind, request as never);
    },
    response: (reply) => encode(output, responseFor(kind, reply as never)),
    request(command) {
      const request = requestFor(command as never, kind);
      if (request instanceof Refusal) throw errorFrom(request);
      return encode(input, request);
    },
    reply(bytes) {
      const response = decode(output, bytes);
      if (response instanceof Refusal)
        throw errorFor("PROTOCOL", `the answer makes no sense: ${response.message}`);
      return replyFromResponse(kind, response as never);
    },
  };
}
