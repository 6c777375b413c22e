/** A client of one bridge: what `connect` makes for a remote bridge, and `localClient` for one in the same process. */
import type { MetadataInput } from "./arguments.js";
import { Calls } from "./calls.js";
import type { Definitions } from "./definitions.js";
import { createRequestIds } from "./request-ids.js";
import { Session } from "./session.js";
import { SessionStore } from "./session-store.js";
import type { CallOptions, Transport } from "./transport/transport.js";
import type { Pong } from "./views.js";

/** How a session is opened. */
export interface SessionOptions extends CallOptions {
  /** The idle time after which a session that is created here expires, in milliseconds. Default: the server's. 0: never. */
  readonly ttlMs?: number;
  /** The metadata of a session that is created here. */
  readonly metadata?: MetadataInput;
  /**
   * Whether setting a variable that does not exist fails (true) or creates it with the type of the value. Default:
   * true with definitions, false without.
   */
  readonly strict?: boolean;
}

/** A client of one bridge. All its sessions share its connection. */
export class Client {
  /** Sessions and variables by id, without types. */
  readonly sessions: SessionStore;
  readonly #transport: Transport;
  readonly #calls: Calls;

  constructor(transport: Transport) {
    this.#transport = transport;
    this.#calls = new Calls(transport, createRequestIds());
    this.sessions = new SessionStore(transport, this.#calls);
  }

  /** Where the bridge is. */
  get address(): string {
    return this.#transport.address;
  }

  /**
   * Opens a session: creates it if it does not exist, and makes sure that its variables stand as defined. Variables
   * that exist keep their values, so a program may start again and again. Throws BatchError naming every definition
   * that contradicts what stands.
   *
   * @example
   * const session = await client.session("run-42", defineVariables({ temperature: float(0.7) }), { ttlMs: 60_000 });
   * await session.get("temperature"); // 0.7
   */
  async session(id: string, definitions?: undefined, options?: SessionOptions): Promise<Session>;
  async session<D extends Definitions>(
    id: string,
    definitions: D,
    options?: SessionOptions,
  ): Promise<Session<D>>;
  async session<D extends Definitions>(
    id: string,
    definitions?: D,
    options: SessionOptions = {},
  ): Promise<Session<D>> {
    await this.sessions.createSession(id, options);
    if (definitions !== undefined && Object.keys(definitions).length > 0) {
      await this.sessions.ensureVariables(id, definitions, options);
    }
    const { strict = definitions !== undefined } = options;
    return new Session<D>({ id, definitions, strict, store: this.sessions, calls: this.#calls });
  }

  /** Asks whether a bridge is there, and which one. Throws UnavailableError or DeadlineError. */
  async ping(options: CallOptions = {}): Promise<Pong> {
    const { serverVersion, serverTimeMs } = await this.#calls.send({ kind: "ping", message: "" }, options);
    return Object.freeze({ serverVersion, serverTime: new Date(serverTimeMs) });
  }

  /** Refuses further calls with ClosedError, waits for those under way, and lets go of the connection. */
  async close(): Promise<void> {
    await this.#transport.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
