/** What a worker is started with: checked and filled in once, then never changed. */
import { statSync } from "node:fs";
import { basename, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { checkAddress } from "../client/transport/address.js";
import { checkSessionId } from "../core/names.js";
import type { LogLine } from "./log.js";
import { findPython } from "./python.js";
import type { RestartOptions, RestartPolicy } from "./restarts.js";
import type { WorkerState } from "./state.js";

/** Either a file or a module. */
export type WorkerProgram =
  | {
      /** The path of a Python file, from `cwd`, or its `file:` URL. */
      readonly script: string | URL;
      readonly module?: never;
    }
  | {
      /** The name of a module, as for `python -m`. */
      readonly module: string;
      readonly script?: never;
    };

/** What a worker is started with. Only the program has no default. */
export type WorkerOptions = WorkerProgram & WorkerSettings;

export interface WorkerSettings {
  /** The program's arguments. */
  readonly args?: readonly string[];
  /** The folder it runs in. Default: that of this process. */
  readonly cwd?: string;
  /** Variables to add to the environment of this process. Those that begin with SNAKEPIT_BRIDGE_ have options. */
  readonly env?: Readonly<Record<string, string>>;
  /** The interpreter, as a path or a name on the PATH. Default: that of a `.venv` in `cwd` or above it, else `python3`. */
  readonly python?: string;
  /** The bridge, or its `host:port`, for SNAKEPIT_BRIDGE_ADDRESS. Default: the variable stays as it is here. */
  readonly bridge?: string | { readonly address: string };
  /** The session to work in, for SNAKEPIT_BRIDGE_SESSION. */
  readonly sessionId?: string;
  /** The bearer token, for SNAKEPIT_BRIDGE_TOKEN. */
  readonly token?: string;
  /**
   * When the worker is ready. `said` (the default): when it calls `snakepit_bridge.worker.ready()`. `started`: when its
   * program was found and begins, so any program will do.
   */
  readonly ready?: "said" | "started";
  /** How long it may take to become ready, in milliseconds. Default: 30,000. */
  readonly readyTimeoutMs?: number;
  /** How long it may take to end when it is told to, in milliseconds, before it is killed. Default: 2,000. */
  readonly graceMs?: number;
  /** How it is started again when it ends otherwise than by exit code 0; false: not at all. */
  readonly restart?: false | RestartOptions;
  /** Ends the worker. */
  readonly signal?: AbortSignal;
  /** Told each line it prints. Default: writes them to the standard error of this process. */
  readonly onLog?: (line: LogLine) => void;
  /** Told each state it comes to. */
  readonly onState?: (state: WorkerState) => void;
}

/** All options, checked, with their defaults. */
export interface ResolvedOptions {
  /** The program as it is called in texts. */
  readonly name: string;
  readonly python: string;
  /** What comes behind the interpreter. */
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly ready: "said" | "started";
  readonly readyTimeoutMs: number;
  readonly graceMs: number;
  /** Undefined: it is not started again. */
  readonly restart: RestartPolicy | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onLog: (line: LogLine) => void;
  readonly onState: (state: WorkerState) => void;
}

/** The number of the pipe to the host, among the worker's file descriptors. */
export const PIPE = 3;

const PREFIX = "SNAKEPIT_BRIDGE_";
const MODULE = /^[\p{ID_Start}_]\p{ID_Continue}*(?:\.[\p{ID_Start}_]\p{ID_Continue}*)*$/u;
const TOKEN = /^[\x20-\x7e]+$/;
/** Longer timers fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** Checks the options and fills in defaults. Throws RangeError for what has no meaning. */
export function resolveOptions(options: WorkerOptions): ResolvedOptions {
  const { ready = "said", readyTimeoutMs = 30_000, graceMs = 2_000, signal } = options;
  const cwd = resolve(options.cwd ?? ".");
  if (!statSync(cwd, { throwIfNoEntry: false })?.isDirectory())
    throw new RangeError(`cwd ${cwd} is no folder`);
  if (ready !== "said" && ready !== "started") {
    throw new RangeError(`ready ${JSON.stringify(ready)} is unknown; known are said, started`);
  }
  checkWhole("readyTimeoutMs", readyTimeoutMs, 1);
  checkWhole("graceMs", graceMs, 0);
  const program = resolveProgram(options, cwd);
  const { name } = program;
  const { args = [], python, onLog = (line) => print(name, line), onState = () => {} } = options;
  for (const arg of args) checkText("args", arg);
  if (python !== undefined && checkText("python", python) === "") throw new RangeError("python is empty");
  const grace = ["--grace", String(graceMs / 1_000)];
  return Object.freeze({
    name,
    python: findPython(python, cwd),
    args: Object.freeze(["-m", "snakepit_bridge.worker", ...grace, ...program.args, ...args]),
    cwd,
    env: resolveEnv(options),
    ready,
    readyTimeoutMs,
    graceMs,
    restart: resolveRestart(options.restart),
    signal,
    onLog,
    onState,
  });
}

function resolveProgram({ script, module }: WorkerOptions, cwd: string): { name: string; args: string[] } {
  if ((script === undefined) === (module === undefined)) {
    throw new RangeError("give either script, the path of a Python file, or module, the name of a module");
  }
  if (module !== undefined) {
    if (!MODULE.test(module)) throw new RangeError(`module ${JSON.stringify(module)} is no name of a module`);
    return { name: module, args: ["-m", module] };
  }
  if (script instanceof URL && script.protocol !== "file:") {
    throw new RangeError(`script ${script} is no file: URL`);
  }
  const given = script instanceof URL ? fileURLToPath(script) : checkText("script", script);
  if (given === "") throw new RangeError("script is empty");
  const path = resolve(cwd, given);
  return { name: basename(path), args: [path] };
}

function resolveEnv({ env = {}, bridge, sessionId, token }: WorkerSettings): ResolvedOptions["env"] {
  for (const [key, value] of Object.entries(env)) {
    checkText(`env ${key}`, value);
    if (key.startsWith(PREFIX)) {
      throw new RangeError(`env sets ${key}: there are the options bridge, sessionId and token for these`);
    }
  }
  const refusal = sessionId === undefined ? undefined : checkSessionId(checkText("sessionId", sessionId));
  if (refusal !== undefined) throw new RangeError(refusal.message);
  // As in an HTTP header.
  if (token !== undefined && !TOKEN.test(token)) throw new RangeError("token is not printable ASCII text");
  const address = typeof bridge === "object" ? bridge.address : bridge;
  const own = {
    ADDRESS: address === undefined ? undefined : checkAddress(address),
    SESSION: sessionId,
    TOKEN: token,
    WORKER_PIPE: String(PIPE),
  };
  const given = Object.entries(own).filter(([, value]) => value !== undefined);
  return Object.freeze({
    ...process.env,
    // So that lines come when they are printed, and as they are read here.
    PYTHONUNBUFFERED: "1",
    PYTHONIOENCODING: "utf-8",
    ...env,
    ...Object.fromEntries(given.map(([key, value]) => [PREFIX + key, value])),
  });
}

function resolveRestart(restart: WorkerSettings["restart"]): RestartPolicy | undefined {
  if (restart === false) return undefined;
  const { limit = 10, firstDelayMs = 200, maxDelayMs = 30_000, resetAfterMs = 60_000 } = restart ?? {};
  checkWhole("restart.limit", limit, 1);
  checkWhole("restart.firstDelayMs", firstDelayMs, 0);
  checkWhole("restart.maxDelayMs", maxDelayMs, 0);
  checkWhole("restart.resetAfterMs", resetAfterMs, 0);
  if (firstDelayMs > maxDelayMs) {
    throw new RangeError(`restart.firstDelayMs is ${firstDelayMs}, more than maxDelayMs, ${maxDelayMs}`);
  }
  return Object.freeze({ limit, firstDelayMs, maxDelayMs, resetAfterMs });
}

function checkWhole(name: string, value: number, from: number): void {
  if (Number.isInteger(value) && value >= from && value <= MAX_TIMER_MS) return;
  throw new RangeError(`${name} is ${value}; it has to be a whole number from ${from} to ${MAX_TIMER_MS}`);
}

/** What the system would not take: text that is none, or has an end in the middle. */
function checkText(name: string, text: unknown): string {
  if (typeof text === "string" && !text.includes("\0")) return text;
  throw new RangeError(`${name} has to be text without null characters`);
}

function print(name: string, { text }: LogLine): void {
  process.stderr.write(`${name}: ${text}\n`);
}
