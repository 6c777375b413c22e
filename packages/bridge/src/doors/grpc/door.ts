/** The gRPC door: serves the contract and the health service, and shuts down without dropping a call. */
import { type ChannelOptions, Server, ServerCredentials } from "@grpc/grpc-js";
import type { BridgeLimits } from "../../core/limits.js";
import { CHANNEL, CHANNEL_MESSAGE_BYTES, readRequest } from "../../wire/channel.js";
import { SERVICES, type Service } from "../../wire/services.js";
import { type DoorContext, tooLong } from "../answering.js";
import type { Door } from "../door.js";
import { WatchStreams } from "../watch-stream.js";
import { Channels } from "./channel.js";
import { Health } from "./health.js";
import { methodAt } from "./methods.js";
import { unaryHandler } from "./unary.js";
import { watchHandler } from "./watch.js";

/** Opens the door. `version` is told to clients. */
export function openGrpcDoor(context: DoorContext, version: string): Door {
  const server = new Server(serverOptions(context.engine.limits));
  const health = new Health([...SERVICES.map(({ name }) => name), CHANNEL.service]);
  health.addTo(server);
  const channels = new Channels(context, version);
  const streams = { requestStream: true, responseStream: true };
  server.addService(
    { [CHANNEL.method]: methodAt(CHANNEL.path, readRequest, streams) },
    { [CHANNEL.method]: channels.handler },
  );
  const watches = new WatchStreams(context);
  for (const service of SERVICES) addService(server, service, context, watches);
  // Whoever listens has seen to what protects the connection.
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  return {
    take: (socket) => injector.injectConnection(socket),
    drain() {
      health.drain();
      channels.drain();
      watches.drain();
      return new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
    },
    cutOff: () => server.forceShutdown(),
  };
}

function addService(
  server: Server,
  { rpcs, streams }: Service,
  context: DoorContext,
  watches: WatchStreams,
): void {
  const { maxMessageBytes: most } = context.engine.limits;
  const within =
    <T>(read: (bytes: Uint8Array) => T) =>
    (bytes: Uint8Array) =>
      bytes.length <= most ? read(bytes) : tooLong(bytes.length, most);
  const asTheyAre = within((bytes) => bytes);
  const definition = [
    ...rpcs.map((rpc) => [rpc.name, methodAt(rpc.path, within(rpc.command))]),
    ...streams.map((rpc) => [rpc.name, methodAt(rpc.path, asTheyAre, { responseStream: true })]),
  ];
  const handlers = [
    ...rpcs.map((rpc) => [rpc.name, unaryHandler(context, rpc)]),
    ...streams.map((rpc) => [rpc.name, watchHandler(watches, rpc)]),
  ];
  server.addService(Object.fromEntries(definition), Object.fromEntries(handlers));
}

const MEBIBYTE = 1_048_576;

function serverOptions({ maxMessageBytes }: BridgeLimits): ChannelOptions {
  // What a message may carry is refused by name where it is read.
  const longest = Math.max(maxMessageBytes, CHANNEL_MESSAGE_BYTES);
  return {
    "grpc.max_receive_message_length": longest,
    "grpc.max_send_message_length": longest,
    "grpc.max_concurrent_streams": 1_000,
    // A peer that vanished without a word is found out in 40 s. How often clients ping, grpc-js does not mind.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    // A connection that nobody uses is closed; clients open a new one with their next call.
    "grpc.max_connection_idle_ms": 30 * 60_000,
    // In MiB, of one connection; grpc-js sets no bound by itself. Enough for 32 of the largest messages at once.
    "grpc-node.max_session_memory": Math.max(64, Math.ceil((32 * maxMessageBytes) / MEBIBYTE)),
    // Channelz stays on: without it grpc-js does not know its connections, and forceShutdown would end none.
    "grpc.enable_channelz": 1,
  };
}
