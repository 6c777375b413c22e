/** The way from a page to a bridge. */
import { Client } from "./client.js";
import type { ConnectOptions } from "./connect.js";
import { WebTransport } from "./transport/web.js";

/**
 * Makes a client of the bridge at a URL, for a page in a browser. Nothing is asked before the first call, and the bridge is found
 * again whenever it was lost; `close()` ends all streams.
 *
 * The bridge has to allow the origin of the page, unless it is its own: `snakepit-bridge serve --allow-origin http://localhost:5173`.
 * Where it does not, and where there is no bridge, calls throw UnavailableError: a browser does not tell a page which.
 *
 * Each session that is read live takes one stream, and so does each watch. A client has at most four at once: a further watch
 * throws LimitError, and a further session asks the bridge for each read until there is room.
 *
 * Throws RangeError for what is no URL of a bridge.
 *
 * @param baseUrl as `http://127.0.0.1:50051`; below a path where a proxy has the bridge there
 *
 * @example
 * const client = connect("http://127.0.0.1:50051");
 * const session = await client.session("run-42");
 * session.onChange(["loss"], ({ changes: [change] }) => show(change?.value));
 */
export function connect(baseUrl: string, options: ConnectOptions = {}): Client {
  return new Client(new WebTransport(baseUrl, options));
}
