/** The client of a bridge in the same process: the same classes, the same errors, no connection. */
import { Client } from "./client.js";
import { LocalTransport, type LocalTransportOptions } from "./transport/local.js";
import { nodeContext } from "./transport/node-context.js";

/** Makes a client of an engine. Closing it leaves the engine running. */
export function localClient(options: LocalTransportOptions): Client {
  return new Client(new LocalTransport(options), nodeContext);
}
