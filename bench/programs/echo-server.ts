/**
 * The measure of what unary gRPC costs on grpc-js at least: a server that decodes the same requests as the bridge and
 * encodes the same answers with protobuf-es, and does nothing else.
 *
 * Its arguments are the answers of a bridge to a get and to a set, in base64.
 */
import { fromBinary } from "@bufbuild/protobuf";
import { type handleUnaryCall, Server, ServerCredentials } from "@grpc/grpc-js";
import { getVariable, grpcMethod, setVariable } from "./unary-methods.js";

const [getAnswer = "", setAnswer = ""] = process.argv.slice(2);

function answering<Request, Response>(response: Response): handleUnaryCall<Request, Response> {
  return (_call, callback) => callback(null, response);
}

const server = new Server();
server.addService(
  { GetVariable: grpcMethod(getVariable), SetVariable: grpcMethod(setVariable) },
  {
    GetVariable: answering(fromBinary(getVariable.output, Buffer.from(getAnswer, "base64"))),
    SetVariable: answering(fromBinary(setVariable.output, Buffer.from(setAnswer, "base64"))),
  },
);
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`127.0.0.1:${port}`);
});
// Nobody speaks to it here; when the benchmark ends, so does it. A profile is written at an exit and at nothing else.
process.stdin.on("end", () => process.exit()).resume();
process.once("SIGTERM", () => process.exit());
