/** How one command travels: its request and its response, each in both directions. There is one for every kind. */
import type { CommandKind, CommandOf, ReplyTo } from "../core/commands.js";
import type { Command as PbCommand, Reply as PbReply } from "./gen/snakepit/bridge/v1/command_pb.js";
import type { Assert, Same } from "./unfit.js";

/** The message of a command's request. */
export type RequestOf<K extends CommandKind> = Extract<PbCommand["kind"], { case: K }>["value"];
/** The message of its response. */
export type ResponseTo<K extends CommandKind> = Extract<PbReply["kind"], { case: K }>["value"];

export interface Codec<K extends CommandKind> {
  request(command: CommandOf<K>): RequestOf<K>;
  command(request: RequestOf<K>): CommandOf<K>;
  response(reply: ReplyTo<K>): ResponseTo<K>;
  reply(response: ResponseTo<K>): ReplyTo<K>;
}

/** A codec for each of these kinds. */
export type Codecs<K extends CommandKind> = { readonly [P in K]: Codec<P> };

/** The kinds of commands are the arms of `Command`, and with `error` those of `Reply`. */
export type KindsAgree = [
  Assert<Same<CommandKind, NonNullable<PbCommand["kind"]["case"]>>>,
  Assert<Same<CommandKind | "error", NonNullable<PbReply["kind"]["case"]>>>,
];
