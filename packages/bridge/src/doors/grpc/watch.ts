/** The handler of `Watch` and `Follow`, for clients of gRPC without a channel. */
import type { handleServerStreamingCall } from "@grpc/grpc-js";
import type { Refusal } from "../../core/refusal.js";
import type { StreamRpc } from "../../wire/services.js";
import { refuseClient } from "../client-version.js";
import type { WatchStreams } from "../watch-stream.js";
import { claimOf } from "./claims.js";
import { refused } from "./refused.js";

/** The handler of an RPC. */
export function watchHandler(
  streams: WatchStreams,
  { name: method, kind }: StreamRpc,
): handleServerStreamingCall<Uint8Array | Refusal, Uint8Array> {
  return (stream) => {
    const way = { method, refusal: refuseClient(claimOf(stream.metadata)) };
    const begun = streams.begin(kind, stream.request, way, {
      write: (bytes, sent) => stream.write(bytes, sent),
      // This is how a stream of grpc-js ends with a status.
      end: (why) => stream.emit("error", refused(why, stream.metadata)),
    });
    for (const event of ["cancelled", "close", "error"]) stream.on(event, () => begun.close());
  };
}
