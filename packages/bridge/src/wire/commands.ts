/** Commands, between the domain and the contract: as the request of an RPC, and as an arm of `Command`. */
import type { Command, CommandKind, CommandOf } from "../core/commands.js";
import { invalidField, type Refusal } from "../core/refusal.js";
import type { Codec, Codecs, RequestOf } from "./codec.js";
import type { Command as PbCommand } from "./gen/snakepit/bridge/v1/command_pb.js";
import { READ_CODECS } from "./read-codecs.js";
import { SESSION_CODECS } from "./session-codecs.js";
import { fitting } from "./unfit.js";
import { WRITE_CODECS } from "./write-codecs.js";

const CODECS: Codecs<CommandKind> = { ...SESSION_CODECS, ...READ_CODECS, ...WRITE_CODECS };

/** How commands of a kind travel. */
export function codecOf<K extends CommandKind>(kind: K): Codec<K> {
  return CODECS[kind];
}

/** The command that a request of this kind asks for, or why it asks for nothing. */
export function commandFromRequest<K extends CommandKind>(
  kind: K,
  request: RequestOf<K>,
): CommandOf<K> | Refusal {
  return fitting(() => codecOf(kind).command(request));
}

/** The request for a command, or why no request can carry it. */
export function requestFor<K extends CommandKind>(command: CommandOf<K>, kind: K): RequestOf<K> | Refusal {
  return fitting(() => codecOf(kind).request(command));
}

/** The command in a message of commands, or why there is none. */
export function commandFromProto({ kind }: PbCommand): Command | Refusal {
  if (kind.case === undefined) {
    return invalidField("kind", "no command is set, or one that only a later version of the bridge knows");
  }
  return commandFromRequest(kind.case, kind.value);
}

/** The message for a command, or why no message can carry it. */
export function commandToProto(command: Command): PbCommand | Refusal {
  return fitting(() => ({
    $typeName: "snakepit.bridge.v1.Command",
    // The kind of a command is the arm of its request (`KindsAgree`), which the compiler cannot follow through a union.
    kind: { case: command.kind, value: codecOf(command.kind).request(command as never) } as PbCommand["kind"],
  }));
}
