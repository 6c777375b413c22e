/** A client of one bridge: what `connect` makes for a remote bridge, and `localClient` for one in the same process. */
import type { MetadataInput } from "./arguments.js";
import { Calls } from "./calls.js";
import type { Definitions } from "./definitions.js";
import { LiveReads } from "./live-reads.js";
import { OwnCalls } from "./own-calls.js";
import { type CacheMode, type Reads, ServerReads } from "./reads.js";
import { Replicas } from "./replicas.js";
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
  /**
   * How reads are answered. `live` (default): from a copy of the session that the bridge keeps current from the first read on
   * until the session is closed, which counts as use of the session. `off`: by the bridge, each time.
   */
  readonly cache?: CacheMode;
  /**
   * For how long, in milliseconds, the last value is answered while the bridge is out of reach. After that reads throw
   * UnavailableError. 0: they do at once. Default: 30,000.
   */
  readonly maxStaleMs?: number;
}

/** How stale an answer may be (ORD-10). */
const DEFAULT_MAX_STALE_MS = 30_000;

/** A client of one bridge. All its sessions share its connection. */
export class Client {
  /** Sessions and variables by id, without types. */
  readonly sessions: SessionStore;
  readonly #transport: Transport;
  readonly #calls: Calls;
  readonly #replicas: Replicas;

  constructor(transport: Transport) {
    this.#transport = transport;
    const ownCalls = new OwnCalls();
    this.#replicas = new Replicas(transport, ownCalls);
    this.#calls = new Calls(transport, createRequestIds(), ownCalls);
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
    const reads = this.#reads(id, options);
    return new Session<D>({ id, definitions, strict, store: this.sessions, calls: this.#calls, reads });
  }

  #reads(sessionId: string, { cache = "live", maxStaleMs = DEFAULT_MAX_STALE_MS }: SessionOptions): Reads {
    if (!(maxStaleMs >= 0)) throw new RangeError(`maxStaleMs is a time of 0 ms or more, not ${maxStaleMs}`);
    const server = new ServerReads(sessionId, this.#calls);
    if (cache === "off") return server;
    const calls = this.#calls;
    const now = () => this.#transport.clock.now();
    const deadline = (options: CallOptions) => calls.deadline(options);
    const copy = this.#replicas.use(sessionId);
    return new LiveReads({ sessionId, server, maxStaleMs, now, deadline, ...copy });
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
