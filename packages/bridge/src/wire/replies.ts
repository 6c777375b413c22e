/** Replies, between the domain and the contract: as the response of an RPC, and as an arm of `Reply`. */
import type { CommandKind, Reply, ReplyTo } from "../core/commands.js";
import { errorFor } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import type { ResponseTo } from "./codec.js";
import { codecOf } from "./commands.js";
import { knownRefusalFromProto, refusalToProto } from "./errors.js";
import type { Reply as PbReply } from "./gen/snakepit/bridge/v1/command_pb.js";
import { fitting } from "./unfit.js";

/** The response to a command of this kind. */
export function responseFor<K extends CommandKind>(kind: K, reply: ReplyTo<K>): ResponseTo<K> {
  return codecOf(kind).response(reply);
}

/**
 * The reply in the response to a command of this kind.
 *
 * @throws BridgeError with reason PROTOCOL if the response makes no sense
 */
export function replyFromResponse<K extends CommandKind>(kind: K, response: ResponseTo<K>): ReplyTo<K> {
  return sensible(() => codecOf(kind).reply(response));
}

/** The message for a reply or refusal. */
export function replyToProto(reply: Reply | Refusal): PbReply {
  return {
    $typeName: "snakepit.bridge.v1.Reply",
    kind:
      reply instanceof Refusal
        ? { case: "error", value: refusalToProto(reply) }
        : // As in `commandToProto`: the kind of a reply is the arm of its response.
          ({ case: reply.kind, value: codecOf(reply.kind).response(reply as never) } as PbReply["kind"]),
  };
}

/**
 * The reply or refusal in a message of replies.
 *
 * @throws BridgeError with reason PROTOCOL if the message makes no sense
 */
export function replyFromProto({ kind }: PbReply): Reply | Refusal {
  switch (kind.case) {
    case undefined:
      throw errorFor("PROTOCOL", "the bridge answered with a reply that this version does not know");
    case "error":
      return sensible(() => knownRefusalFromProto(kind.value));
    default:
      return replyFromResponse(kind.case, kind.value as never);
  }
}

/** Unlike a request, an answer that makes no sense is nobody's input to refuse. */
function sensible<T>(convert: () => T): T {
  const converted = fitting(() => ({ reply: convert() }));
  if (converted instanceof Refusal) {
    throw errorFor("PROTOCOL", `the bridge's answer makes no sense: ${converted.message}`);
  }
  return converted.reply;
}
