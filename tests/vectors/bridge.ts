/** A bridge in this process that is spoken to in JSON: through the codecs of the wire, into the engine, on a manual clock. */
import { randomBytes } from "node:crypto";
import { fromJson, toJson } from "@bufbuild/protobuf";
import { type BridgeLimits, DEFAULT_LIMITS } from "../../packages/bridge/src/core/limits.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import { Engine } from "../../packages/bridge/src/engine/engine.js";
import { ANYONE } from "../../packages/bridge/src/engine/principal.js";
import { MemoryStore } from "../../packages/bridge/src/storage/memory/memory-store.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { decode, encode } from "../../packages/bridge/src/wire/bytes.js";
import { commandFromProto } from "../../packages/bridge/src/wire/commands.js";
import {
  CommandSchema,
  ReplySchema,
} from "../../packages/bridge/src/wire/gen/snakepit/bridge/v1/command_pb.js";
import { replyToProto } from "../../packages/bridge/src/wire/replies.js";
import type { JsonObject } from "./files.js";

export class JsonBridge {
  readonly clock = new ManualClock();
  readonly #engine: Engine;

  constructor(limits: Partial<BridgeLimits> = {}) {
    this.#engine = new Engine({
      store: new MemoryStore(),
      clock: this.clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
      defaultTtlMs: 3_600_000,
      newIncarnation: () => randomBytes(16).toString("hex"),
      version: "0.0.0-vectors",
    });
  }

  /**
   * The reply to a command, both as proto3 JSON, both having been bytes on the way.
   *
   * @param deadline on the bridge's clock
   * @throws if the JSON is not that of a command
   */
  async send(command: JsonObject, deadline?: number): Promise<JsonObject> {
    const message = decode(CommandSchema, encode(CommandSchema, fromJson(CommandSchema, command as never)));
    const asked = message instanceof Refusal ? message : commandFromProto(message);
    const answer = asked instanceof Refusal ? asked : await this.#engine.dispatch(ANYONE, asked, deadline);
    const reply = decode(ReplySchema, encode(ReplySchema, replyToProto(answer)));
    if (reply instanceof Refusal) throw new Error(reply.message);
    return toJson(ReplySchema, reply) as JsonObject;
  }
}
