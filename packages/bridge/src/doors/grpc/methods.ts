/**
 * Methods as grpc-js wants them.
 *
 * grpc-js moves bytes only. A request that cannot be decoded has to be answered like any other refusal, which a
 * deserializer of grpc-js could not do, so it hands the refusal on to the handler.
 */
import type { MethodDefinition } from "@grpc/grpc-js";
import type { Refusal } from "../../core/refusal.js";

/** A method whose handler gets what the request says, or why it says nothing, and answers with bytes. */
export function methodAt<Request>(
  path: string,
  request: (bytes: Uint8Array) => Request | Refusal,
  streams: { readonly requestStream?: boolean; readonly responseStream?: boolean } = {},
): MethodDefinition<Request | Refusal, Uint8Array> {
  return {
    path,
    requestStream: false,
    responseStream: false,
    ...streams,
    requestDeserialize: request,
    responseSerialize: asBuffer,
    // Only clients use these two.
    requestSerialize: unused,
    responseDeserialize: unused,
  };
}

/** grpc-js writes Buffers only; with a plain Uint8Array the call would fail. No byte is copied. */
function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function unused(): never {
  throw new Error("a server does not send requests");
}
