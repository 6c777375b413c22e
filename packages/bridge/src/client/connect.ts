/** The way to a bridge elsewhere. */
import { Client } from "./client.js";
import { defaultAddress } from "./transport/address.js";
import { GrpcTransport } from "./transport/grpc.js";
import { nodeContext } from "./transport/node-context.js";

/** How a client behaves. */
export interface ConnectOptions {
  /** How long a call waits that says nothing else, in milliseconds, attempts to reach the bridge included. Default: 5,000. */
  readonly timeoutMs?: number;
}

/**
 * Makes a client of the bridge at an address. The connection is made by the first call, and made again whenever it
 * breaks; `close()` lets go of it.
 *
 * A call without a bridge fails at once with UnavailableError. Throws RangeError for what is no address.
 *
 * @param address `host:port`. Default: the environment's SNAKEPIT_BRIDGE_ADDRESS, else `127.0.0.1:50051`
 *
 * @example
 * const client = connect("127.0.0.1:50051");
 * const session = await client.session("run-42");
 * await session.set("loss", 0.25);
 * await session.get("loss"); // 0.25
 * await client.close();
 */
export function connect(address: string = defaultAddress(), options: ConnectOptions = {}): Client {
  return new Client(new GrpcTransport(address, options), nodeContext);
}
