/** The one handler of all unary RPCs. */
import type { handleUnaryCall, ServerUnaryCall } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import type { Command } from "../../core/commands.js";
import { Refusal } from "../../core/refusal.js";
import type { Rpc } from "../../wire/services.js";
import { answer, broken, type DoorContext } from "../answering.js";
import { refuseClient } from "../client-version.js";
import { claimOf } from "./claims.js";
import { refused } from "./refused.js";

type Call = ServerUnaryCall<Command | Refusal, Uint8Array>;

/** The handler of an RPC. */
export function unaryHandler(context: DoorContext, rpc: Rpc): handleUnaryCall<Command | Refusal, Uint8Array> {
  const { name: method, response: encode } = rpc;
  return (call, callback) => {
    const deadline = deadlineOf(call, context.clock);
    answer(context, call.request, { method, deadline, encode, refusal: refuseClient(claimOf(call.metadata)) })
      .then((response) => {
        if (response instanceof Refusal) callback(refused(response, call.metadata));
        else callback(null, response);
      })
      .catch((error: unknown) => {
        callback(refused(broken(context.logger, error, rpc.kind, "may have been"), call.metadata));
      });
  };
}

/** gRPC gives a point on the wall clock, the engine wants one on its own. */
function deadlineOf(call: Call, clock: Clock): number | undefined {
  const deadline = Number(call.getDeadline());
  return Number.isFinite(deadline) ? clock.now() + (deadline - Date.now()) : undefined;
}
