/** What a client of gRPC says that it is, with each call. */
import type { Metadata } from "@grpc/grpc-js";
import { CLIENT_KEY } from "../../wire/keys.js";

export function claimOf(metadata: Metadata): unknown {
  return metadata.get(CLIENT_KEY)[0];
}
