/** `snakepit-bridge serve`: runs a bridge until it is told to stop. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type BridgeLimits, DEFAULT_LIMITS, LIMIT_SETTINGS } from "../../core/limits.js";
import { isOrigin } from "../../doors/connect/guard.js";
import { type Bridge, startBridge } from "../../server.js";
import { announceLarge } from "../announce.js";
import { createLog, LOG_LEVELS } from "../log.js";

/** What is acknowledged is kept, without being asked to. */
const FILE_STORE = "sqlite:";
const DEFAULT_STORE = `${FILE_STORE}./snakepit-bridge.db`;

interface ServeOptions {
  readonly host: string;
  readonly port: number;
  readonly allowOrigin?: readonly string[];
  readonly store: string;
  readonly durability: "full" | "relaxed";
  readonly limit?: Partial<BridgeLimits>;
  readonly defaultTtl: number;
  readonly logLevel: string;
}

export function addServe(program: Command): void {
  program
    .command("serve")
    .summary("run a bridge")
    .description(
      "Runs a bridge until SIGTERM or SIGINT. Once it listens it prints one line on standard output:\n" +
        `  snakepit-bridge listening on 127.0.0.1:50051 (store: ${DEFAULT_STORE})\n` +
        "The log goes to standard error.",
    )
    .option(
      "--host <host>",
      "name or address to listen on; 0.0.0.0 or :: for all of this machine",
      "127.0.0.1",
    )
    .option("--port <port>", "port to listen on; 0 for any that is free", wholeNumber, 50_051)
    .option(
      "--allow-origin <origin>",
      "origin of web pages that may use this bridge, as http://localhost:5173; may be repeated",
      origin,
    )
    .option(
      "--store <store>",
      "where commits are kept; sqlite:PATH: in a file, on disk before they are acknowledged;\nmemory: nothing survives the process",
      DEFAULT_STORE,
    )
    .addOption(
      new Option(
        "--durability <durability>",
        "what an acknowledged write in a file means; relaxed: on its way to the disk",
      )
        .choices(["full", "relaxed"])
        .default("full"),
    )
    .option("--limit <name=n>", `a limit, may be repeated; names and defaults:\n${limitList()}`, limit)
    .option("--default-ttl <seconds>", "idle time after which a session expires; 0: never", seconds, 3_600)
    .addOption(
      new Option("--log-level <level>", "least level of the log").choices(LOG_LEVELS).default("info"),
    )
    .action(serve);
}

async function serve({
  host,
  port,
  allowOrigin = [],
  store,
  durability,
  limit = {},
  defaultTtl,
  logLevel,
}: ServeOptions): Promise<void> {
  if (store.startsWith(FILE_STORE)) announceLarge("opening", store.slice(FILE_STORE.length));
  const bridge = await startBridge({
    host,
    port,
    allowOrigins: allowOrigin,
    store,
    durability,
    limits: limit,
    defaultTtlMs: Math.round(defaultTtl * 1_000),
    logger: createLog(logLevel),
  });
  // Who reads the line may send a signal at once.
  const end = stopped(bridge);
  process.stdout.write(
    `snakepit-bridge listening on ${bridge.address} (store: ${store}${durability === "relaxed" ? ", durability relaxed" : ""})\n`,
  );
  await end;
}

/** Done when a signal has ended the bridge. A second one does not wait for running calls. */
function stopped(bridge: Bridge): Promise<void> {
  return new Promise((resolve, reject) => {
    let closing = false;
    const onSignal = (name: NodeJS.Signals): void => {
      if (closing) {
        // Its usual effect. To exit would end threads within SQLite, which some drivers answer with an abort.
        process.off(name, onSignal);
        process.kill(process.pid, name);
        return;
      }
      closing = true;
      bridge.close().then(resolve, reject);
    };
    bridge.failure.then(reject, reject);
    process.on("SIGTERM", onSignal);
    process.on("SIGINT", onSignal);
  });
}

function limitList(): string {
  return Object.entries(LIMIT_SETTINGS)
    .map(([name, key]) => `  ${name} ${DEFAULT_LIMITS[key]}`)
    .join("\n");
}

function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It has to be a whole number.");
}

function origin(text: string, before: readonly string[] = []): readonly string[] {
  if (isOrigin(text)) return [...before, text];
  throw new InvalidArgumentError("It has to be an origin, as http://localhost:5173, without a path.");
}

function seconds(text: string): number {
  if (/^\d{1,12}(\.\d+)?$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It has to be a number of seconds, 0 or more.");
}

function limit(text: string, before?: Partial<BridgeLimits>): Partial<BridgeLimits> {
  const [name = "", value, ...rest] = text.split("=");
  if (value === undefined || rest.length > 0 || !isLimit(name)) {
    throw new InvalidArgumentError(
      `It has to be NAME=N; names are ${Object.keys(LIMIT_SETTINGS).join(", ")}.`,
    );
  }
  return { ...before, [LIMIT_SETTINGS[name]]: wholeNumber(value) };
}

function isLimit(name: string): name is keyof typeof LIMIT_SETTINGS {
  return Object.hasOwn(LIMIT_SETTINGS, name);
}
