/** The RPCs of the bare server that tells many: bytes go through as they are. */
import type { MethodDefinition } from "@grpc/grpc-js";

const asItIs = (bytes: Buffer): Buffer => bytes;

function method(
  name: string,
  requestStream: boolean,
  responseStream: boolean,
): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/bench.Telling/${name}`,
    requestStream,
    responseStream,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

/** All that is told, from the first message on, which is empty. */
export const LISTEN = method("Listen", false, true);
/** Has what is sent told to all that listen. */
export const TELL = method("Tell", true, false);
