/**
 * The messages of a channel: commands and replies in frames, cut to parts where they are long. A frame is made into the bytes
 * of a message by itself, since messages that follow each other without a gap are one message that has the frames of all.
 */
import type { Command, Reply } from "../core/commands.js";
import { errorFor, errorFrom } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import { decode, encode } from "./bytes.js";
import { commandFromProto, commandToProto } from "./commands.js";
import { commandFrame, eventFrame, replyFrame } from "./frames.js";
import {
  type ChannelRequest,
  ChannelRequestSchema,
  type ChannelResponse,
  ChannelResponseSchema,
  ChannelService,
} from "./gen/snakepit/bridge/v1/channel_pb.js";
import { CommandSchema, ReplySchema } from "./gen/snakepit/bridge/v1/command_pb.js";
import { replyFromProto, replyToProto } from "./replies.js";

export { followBytes, followFromBytes, standingBytes, updateBytes, updateFromBytes } from "./state-codecs.js";
export { bookmarkBytes, toldBytes, toldFromBytes, watchBytes, watchFromBytes } from "./watch-codecs.js";

export type { ChannelRequest, ChannelResponse };

/** The version of the protocol that this package speaks. */
export const PROTOCOL = 1;

/** The longest message (ORD-18). */
export const CHANNEL_MESSAGE_BYTES = 262_144;

/** The longest part of a command or reply: what is around it takes less than the rest. */
const PART_BYTES = CHANNEL_MESSAGE_BYTES - 64;

/** Names of the service and its one RPC. */
export const CHANNEL = {
  service: ChannelService.typeName,
  method: ChannelService.method.channel.name,
  path: `/${ChannelService.typeName}/${ChannelService.method.channel.name}`,
} as const;

/** The bytes of a command. Throws InvalidInputError for what no message can carry. */
export function commandBytes(command: Command): Uint8Array {
  const message = commandToProto(command);
  if (message instanceof Refusal) throw errorFrom(message);
  return encode(CommandSchema, message);
}

/** The command in these bytes, or why there is none. */
export function commandFromBytes(bytes: Uint8Array): Command | Refusal {
  const message = decode(CommandSchema, bytes);
  return message instanceof Refusal ? message : commandFromProto(message);
}

/** The bytes of a reply or refusal. */
export function replyBytes(reply: Reply | Refusal): Uint8Array {
  return encode(ReplySchema, replyToProto(reply));
}

/**
 * The reply or refusal in these bytes.
 *
 * @throws BridgeError with reason PROTOCOL if they make no sense
 */
export function replyFromBytes(bytes: Uint8Array): Reply | Refusal {
  const message = decode(ReplySchema, bytes);
  if (message instanceof Refusal) throw errorFor("PROTOCOL", `the answer makes no sense: ${message.message}`);
  return replyFromProto(message);
}

/** What of a request is not said here is empty. */
function request(fields: Partial<Omit<ChannelRequest, "$typeName">>): Uint8Array {
  const nothing = { $typeName: "snakepit.bridge.v1.ChannelRequest", commands: [], cancelled: [] } as const;
  return encode(ChannelRequestSchema, { ...nothing, ...fields } as ChannelRequest);
}

function response(fields: Partial<Omit<ChannelResponse, "$typeName">>): Uint8Array {
  const $typeName = "snakepit.bridge.v1.ChannelResponse";
  const nothing = { $typeName, events: [], replies: [], goingAway: false } as const;
  return encode(ChannelResponseSchema, { ...nothing, ...fields } as ChannelResponse);
}

/** What a client says first. */
export function clientHello(version: string): Uint8Array {
  return request({ hello: { $typeName: "snakepit.bridge.v1.ClientHello", protocol: PROTOCOL, version } });
}

/** What a server says first. */
export function serverHello(version: string): Uint8Array {
  return response({ hello: { $typeName: "snakepit.bridge.v1.ServerHello", protocol: PROTOCOL, version } });
}

/** The messages that carry a command, each with a part of it. */
export function commandMessages(id: number, timeoutMs: number, command: Uint8Array): Uint8Array[] {
  return inParts(command, (part, more, isFirst) =>
    commandFrame(id, isFirst ? timeoutMs : undefined, part, more),
  );
}

/** The messages that ask to be told events, each with a part of what is asked. */
export function watchMessages(id: number, asked: Uint8Array): Uint8Array[] {
  return watchingMessages(id, asked, { watch: true, state: false });
}

/** The messages that ask to be told the state, each with a part of what is asked. */
export function followMessages(id: number, asked: Uint8Array): Uint8Array[] {
  return watchingMessages(id, asked, { watch: false, state: true });
}

function watchingMessages(
  id: number,
  asked: Uint8Array,
  what: { readonly watch: boolean; readonly state: boolean },
): Uint8Array[] {
  const $typeName = "snakepit.bridge.v1.CommandFrame";
  return inParts(asked, (part, more) =>
    request({ commands: [{ $typeName, id, command: part, more, ...what }] }),
  );
}

/** The messages that carry a reply, each with a part of it. */
export function replyMessages(id: number, reply: Uint8Array): Uint8Array[] {
  return inParts(reply, (part, more) => replyFrame(id, part, more));
}

/** The messages that carry what a watch tells, each with a part of it. */
export function eventMessages(id: number, told: Uint8Array): Uint8Array[] {
  return inParts(told, (part, more) => eventFrame(id, part, more));
}

/** Says that nobody waits for the reply to a command. */
export function cancellation(id: number): Uint8Array {
  return request({ cancelled: [id] });
}

/** Says that the server takes no more commands. */
export function goingAway(): Uint8Array {
  return response({ goingAway: true });
}

/** Says nothing, which is a sign of life. */
export function signOfLife(): Uint8Array {
  return response({});
}

/** What a client says, or why it says nothing. */
export function readRequest(bytes: Uint8Array): ChannelRequest | Refusal {
  return decode(ChannelRequestSchema, bytes);
}

/** What a server says, or why it makes no sense. */
export function readResponse(bytes: Uint8Array): ChannelResponse | Refusal {
  return decode(ChannelResponseSchema, bytes);
}

function inParts(
  bytes: Uint8Array,
  frame: (part: Uint8Array, more: boolean, isFirst: boolean) => Uint8Array,
): Uint8Array[] {
  if (bytes.length <= PART_BYTES) return [frame(bytes, false, true)];
  const messages: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; start += PART_BYTES) {
    const end = start + PART_BYTES;
    messages.push(frame(bytes.subarray(start, end), end < bytes.length, start === 0));
  }
  return messages;
}
