/** The RPCs that the benchmark calls, for plain grpc-js: their paths, and their codecs by protobuf-es. */
import {
  type DescMessage,
  type DescMethodServerStreaming,
  type DescMethodUnary,
  fromBinary,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { MethodDefinition } from "@grpc/grpc-js";
import { SessionService } from "../../packages/bridge/dist/wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableService } from "../../packages/bridge/dist/wire/gen/snakepit/bridge/v1/variables_pb.js";

export const { createSession } = SessionService.method;
export const { getVariable, registerVariable, setVariable, watch } = VariableService.method;

/** What grpc-js has to know about a method of the contract. */
export function grpcMethod<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O> | DescMethodServerStreaming<I, O>,
): MethodDefinition<MessageShape<I>, MessageShape<O>> {
  return {
    path: `/${method.parent.typeName}/${method.name}`,
    requestStream: false,
    responseStream: method.methodKind === "server_streaming",
    requestSerialize: (message) => encode(method.input, message),
    requestDeserialize: (bytes) => fromBinary(method.input, bytes),
    responseSerialize: (message) => encode(method.output, message),
    responseDeserialize: (bytes) => fromBinary(method.output, bytes),
  };
}

/** A message as a Buffer: grpc-js writes nothing else. */
export function encode<D extends DescMessage>(schema: D, message: MessageShape<D>): Buffer {
  const { buffer, byteOffset, byteLength } = toBinary(schema, message);
  return Buffer.from(buffer, byteOffset, byteLength);
}
