/** Puts a bridge together: a store, an engine over it, and the doors to the engine. The only file that knows them all. */
import { randomBytes } from "node:crypto";
import { destination, type Logger, pino } from "pino";
import type { Client } from "./client/client.js";
import { localClient } from "./client/local-client.js";
import type { SessionStore } from "./client/session-store.js";
import type { Clock } from "./core/clock.js";
import { type BridgeLimits, DEFAULT_LIMITS, LIMIT_SETTINGS } from "./core/limits.js";
import { isOrigin } from "./doors/connect/guard.js";
import { openDoors } from "./doors/doors.js";
import { Engine } from "./engine/engine.js";
import { systemClock } from "./engine/system-clock.js";
import { MemoryStore } from "./storage/memory/memory-store.js";
import { armedFailpoint } from "./storage/sqlite/failpoints.js";
import type { Durability } from "./storage/sqlite/format.js";
import { SqliteStore } from "./storage/sqlite/sqlite-store.js";
import type { Store } from "./storage/store.js";
import { VERSION } from "./version.js";

/** What an engine may be given. All of it has a default. */
export interface EngineSettings {
  /**
   * Where commits are kept: `memory` (the default), from which nothing survives the process, or `sqlite:PATH`, a file in
   * which every acknowledged write is on disk.
   */
  readonly store?: string;
  /**
   * What an acknowledged write in a file means. `full` (the default): it is on disk. `relaxed`: it is on its way there, and
   * what was acknowledged within about the last second may be lost when the machine, not only the process, goes down.
   */
  readonly durability?: Durability;
  /** What requests, sessions and the server may take; what is left out has its default. */
  readonly limits?: Partial<BridgeLimits>;
  /** The idle time, in milliseconds, after which a session expires that names none. 0: never. Default: 3,600,000. */
  readonly defaultTtlMs?: number;
  /** Default: the machine's. Tests pass one that they move by hand. */
  readonly clock?: Clock;
}

/** What a bridge may be given. All of it has a default. */
export interface BridgeOptions extends EngineSettings {
  /** The name or address to listen on. Default: `127.0.0.1`, which no other machine reaches. */
  readonly host?: string;
  /** The port to listen on; 0 takes any that is free. Default: 50051. */
  readonly port?: number;
  /**
   * Origins of web pages that may use this bridge, as `http://localhost:5173`: whatever serves a page serves it from an origin
   * of its own. Default: none. Programs that are no pages need no leave.
   */
  readonly allowOrigins?: readonly string[];
  /** A pino logger, or the level of one that writes JSON to stderr. Default: `warn`. */
  readonly logger?: Logger | string;
  /** How long `close` waits for calls that are running, in milliseconds. Default: 5,000. */
  readonly graceMs?: number;
}

/** All options, checked, with their defaults. */
export type ResolvedOptions = Readonly<Required<BridgeOptions> & { limits: BridgeLimits; logger: Logger }>;

/** A bridge that runs. */
export interface Bridge {
  /** The name or address it listens on, as it was given. */
  readonly host: string;
  /** The port it listens on. */
  readonly port: number;
  /** `host:port`, as clients take it. */
  readonly address: string;
  /** What the bridge was started with. */
  readonly options: ResolvedOptions;
  /** For clients in the same process, which need no connection. */
  readonly engine: Engine;
  /** The sessions of this bridge, without a connection. */
  readonly sessions: SessionStore;
  /** A session of this bridge, without a connection; see {@link Client.session}. */
  readonly session: Client["session"];
  /**
   * Settles with the reason when the store can no longer keep its promise: a disk that fails, a damaged file. The bridge has
   * then cut off its callers, and nothing is answered any more. What was acknowledged before is kept.
   */
  readonly failure: Promise<Error>;
  /**
   * Refuses new calls, lets running ones end, then releases the store. The second call waits for the first.
   *
   * @throws What `failure` settles with, if the store fails meanwhile: all is released, and what was acknowledged is kept
   */
  close(): Promise<void>;
}

/**
 * Starts a bridge.
 *
 *     const bridge = await startBridge({ port: 0 });
 *     console.log(bridge.address); // 127.0.0.1:43721
 *     await bridge.close();
 *
 * @throws RangeError if an option has no meaning; Error, in one clear sentence, if the bridge cannot listen
 */
export async function startBridge(options: BridgeOptions = {}): Promise<Bridge> {
  const resolved = resolveOptions(options);
  const { host, port, allowOrigins, clock, logger, graceMs } = resolved;
  const failpoint = armedFailpoint();
  if (failpoint !== undefined)
    logger.warn({ failpoint }, "a failpoint is armed: the store will fail on purpose");
  const store = await openStore(resolved.store, resolved.durability);
  const engine = await openEngine(store, resolved);
  const doors = await openDoors({
    engine,
    clock,
    logger,
    host,
    port,
    allowOrigins,
    version: VERSION,
  }).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  let failed: Error | undefined;
  const failure = engine.failure.then(async (error) => {
    failed = error;
    logger.fatal({ err: error }, "the store has failed; nothing is answered any more");
    await doors.close(0);
    return error;
  });
  const client = localClient({ engine, clock });
  const close = async (): Promise<void> => {
    const wasWell = failed === undefined;
    await doors.close(graceMs);
    await client.close();
    await engine.close();
    if (wasWell && failed !== undefined) throw failed;
  };
  let closing: Promise<void> | undefined;
  return Object.freeze({
    host,
    port: doors.port,
    address: doors.address,
    options: resolved,
    engine,
    sessions: client.sessions,
    session: client.session.bind(client),
    failure,
    close: () => (closing ??= close()),
  });
}

/**
 * Makes an engine without any door, to be used in this process only.
 *
 * @throws RangeError if an option has no meaning
 */
export async function createEngine(settings: EngineSettings = {}): Promise<Engine> {
  const resolved = resolveSettings(settings);
  // Throws if what is armed makes no sense.
  armedFailpoint();
  return openEngine(await openStore(resolved.store, resolved.durability), resolved);
}

async function openEngine(
  store: Store,
  { limits, defaultTtlMs, clock }: Pick<ResolvedOptions, "limits" | "defaultTtlMs" | "clock">,
): Promise<Engine> {
  const newIncarnation = (): string => randomBytes(16).toString("hex");
  const engine = new Engine({ store, clock, limits, defaultTtlMs, newIncarnation, version: VERSION });
  await engine.open();
  return engine;
}

const SQLITE = "sqlite:";

async function openStore(name: string, durability: Durability): Promise<Store> {
  if (name === "memory") return new MemoryStore();
  if (name.startsWith(SQLITE) && name.length > SQLITE.length) {
    return SqliteStore.open(name.slice(SQLITE.length), durability);
  }
  throw new RangeError(`store ${JSON.stringify(name)} is not available; available: memory, sqlite:PATH`);
}

/** Ten years, as for the TTL of one session. */
const MAX_TTL_MS = 10 * 365 * 86_400_000;
const MAX_PORT = 65_535;
/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Longer texts fit no string of the runtime, and a record or snapshot of twice as much no row of SQLite. */
const MAX_BYTES = 2 ** 29;
const BYTES: ReadonlySet<keyof BridgeLimits> = new Set(["maxMessageBytes", "maxSessionBytes"]);

/** Checks the options and fills in defaults. */
function resolveOptions(options: BridgeOptions): ResolvedOptions {
  const { host = "127.0.0.1", port = 50_051, logger = "warn", graceMs = 5_000 } = options;
  const allowOrigins = Object.freeze([...(options.allowOrigins ?? [])]);
  if (host === "") throw new RangeError("host is empty");
  checkWhole("port", port, 0, MAX_PORT);
  checkWhole("graceMs", graceMs, 0, MAX_TIMER_MS);
  for (const origin of allowOrigins) {
    if (!isOrigin(origin))
      throw new RangeError(
        `${JSON.stringify(origin)} is no origin: write it as http://localhost:5173, without a path`,
      );
  }
  return Object.freeze({
    ...resolveSettings(options),
    host,
    port,
    allowOrigins,
    logger: typeof logger === "string" ? createLogger(logger) : logger,
    graceMs,
  });
}

function resolveSettings(settings: EngineSettings): Required<EngineSettings> & { limits: BridgeLimits } {
  const { store = "memory", durability = "full", defaultTtlMs = 3_600_000, clock = systemClock } = settings;
  if (durability !== "full" && durability !== "relaxed") {
    throw new RangeError(`durability ${JSON.stringify(durability)} is unknown; known are full, relaxed`);
  }
  checkWhole("defaultTtlMs", defaultTtlMs, 0, MAX_TTL_MS);
  return { store, durability, limits: resolveLimits(settings.limits ?? {}), defaultTtlMs, clock };
}

function resolveLimits(given: Partial<BridgeLimits>): BridgeLimits {
  const limits: BridgeLimits = { ...DEFAULT_LIMITS, ...given };
  for (const [setting, key] of Object.entries(LIMIT_SETTINGS)) {
    const most = BYTES.has(key) ? MAX_BYTES : Number.MAX_SAFE_INTEGER;
    checkWhole(`limit ${setting}`, limits[key], 1, most);
  }
  return Object.freeze(limits);
}

function checkWhole(name: string, value: number, from: number, to: number): void {
  if (Number.isInteger(value) && value >= from && value <= to) return;
  throw new RangeError(`${name} is ${value}; it has to be a whole number from ${from} to ${to}`);
}

/** Standard output belongs to the program, so the log goes to standard error. */
function createLogger(level: string): Logger {
  if (level !== "silent" && !Object.hasOwn(pino.levels.values, level)) {
    const known = [...Object.keys(pino.levels.values), "silent"].join(", ");
    throw new RangeError(`log level ${JSON.stringify(level)} is unknown; known are ${known}`);
  }
  return pino({ level }, destination(2));
}
