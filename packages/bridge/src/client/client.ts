/** A client of one bridge: what `connect` makes for a remote bridge, and `localClient` for one in the same process. */
import type { MetadataInput } from "./arguments.js";
import { Calls } from "./calls.js";
import type { Definitions } from "./definitions.js";
import { LiveReads } from "./live-reads.js";
import { OwnCalls } from "./own-calls.js";
import { PinnableReads } from "./pinnable-reads.js";
import { type AsyncContext, type Pin, Pins } from "./pins.js";
import { CACHE_MODES, type CacheMode, type Reads, ServerReads } from "./reads.js";
import { Replicas } from "./replicas.js";
import { createRequestIds } from "./request-ids.js";
import { Session } from "./session.js";
import { SessionStore } from "./session-store.js";
import type { CallOptions, Transport } from "./transport/transport.js";
import { checkCacheTtl } from "./ttl-cache.js";
import { TtlReads } from "./ttl-reads.js";
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
   * until the session is closed, which counts as use of the session. `ttl`: by the bridge, and again from its answers while
   * they are younger than `cacheTtlMs`. `off`: by the bridge, each time.
   */
  readonly cache?: CacheMode;
  /** With `cache: "ttl"`: how old an answer may be that is used again, in milliseconds. 0: none is. Default: 1,000. */
  readonly cacheTtlMs?: number;
  /**
   * For how long, in milliseconds, the last value is answered while the bridge is out of reach. After that reads throw
   * UnavailableError. 0: they do at once. Default: 30,000.
   */
  readonly maxStaleMs?: number;
}

/** How stale an answer may be (ORD-10). */
const DEFAULT_MAX_STALE_MS = 30_000;
/** For how long an answer is used again (ORD-21). */
const DEFAULT_CACHE_TTL_MS = 1_000;

/** A client of one bridge. All its sessions share its connection. */
export class Client {
  /** Sessions and variables by id, without types. */
  readonly sessions: SessionStore;
  readonly #transport: Transport;
  readonly #calls: Calls;
  readonly #ownCalls = new OwnCalls();
  readonly #replicas: Replicas;
  readonly #context: AsyncContext<Pin> | undefined;

  /** @param context carries pinned snapshots; undefined: they cannot be pinned */
  constructor(transport: Transport, context?: AsyncContext<Pin>) {
    this.#transport = transport;
    this.#context = context;
    this.#replicas = new Replicas(transport, this.#ownCalls);
    this.#calls = new Calls(transport, createRequestIds(), this.#ownCalls);
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
    const policy = cachePolicy(options);
    await this.sessions.createSession(id, options);
    if (definitions !== undefined && Object.keys(definitions).length > 0) {
      await this.sessions.ensureVariables(id, definitions, options);
    }
    const { strict = definitions !== undefined } = options;
    const pins = new Pins(this.#context, () => this.#transport.clock.now());
    const reads = new PinnableReads(this.#reads(id, policy), pins, () => this.#transport.turn());
    return new Session<D>({ id, definitions, strict, store: this.sessions, calls: this.#calls, reads });
  }

  #reads(sessionId: string, { cache, maxStaleMs, cacheTtlMs }: CachePolicy): Reads {
    const calls = this.#calls;
    const now = () => this.#transport.clock.now();
    if (cache === "ttl")
      return new TtlReads({ sessionId, calls, ownCalls: this.#ownCalls, ttlMs: cacheTtlMs, now });
    const server = new ServerReads(sessionId, calls);
    if (cache === "off") return server;
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

type CachePolicy = Required<Pick<SessionOptions, "cache" | "maxStaleMs" | "cacheTtlMs">>;

/** How reads are to be answered. Throws RangeError for what is no mode or no time, before anything is asked. */
function cachePolicy({
  cache = "live",
  maxStaleMs = DEFAULT_MAX_STALE_MS,
  cacheTtlMs = DEFAULT_CACHE_TTL_MS,
}: SessionOptions): CachePolicy {
  if (!CACHE_MODES.includes(cache)) throw new RangeError(`cache is ${CACHE_MODES.join(", ")}, not ${cache}`);
  if (!(maxStaleMs >= 0)) throw new RangeError(`maxStaleMs is a time of 0 ms or more, not ${maxStaleMs}`);
  return { cache, maxStaleMs, cacheTtlMs: checkCacheTtl(cacheTtlMs) };
}
