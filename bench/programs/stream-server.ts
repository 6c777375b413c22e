/**
 * The measure of what telling many costs on grpc-js at least: a server that writes each message that it is sent, as it is, to
 * every stream that listens, and does nothing else.
 */
import {
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  Server,
  ServerCredentials,
} from "@grpc/grpc-js";
import { LISTEN, TELL } from "./stream-methods.js";

const listeners = new Set<{ write(message: Buffer): void }>();

const listen: handleServerStreamingCall<Buffer, Buffer> = (stream) => {
  listeners.add(stream);
  stream.on("close", () => listeners.delete(stream));
  // The first message says that it listens.
  stream.write(Buffer.alloc(0));
};

const tell: handleClientStreamingCall<Buffer, Buffer> = (stream, callback) => {
  stream.on("data", (message: Buffer) => {
    for (const listener of listeners) listener.write(message);
  });
  stream.on("end", () => callback(null, Buffer.alloc(0)));
};

const server = new Server();
server.addService({ Listen: LISTEN, Tell: TELL }, { Listen: listen, Tell: tell });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error !== null) throw error;
  console.log(`127.0.0.1:${port}`);
});
// Nobody speaks to it here; when the benchmark ends, so does it. A profile is written at an exit and at nothing else.
process.stdin.on("end", () => process.exit()).resume();
process.once("SIGTERM", () => process.exit());
