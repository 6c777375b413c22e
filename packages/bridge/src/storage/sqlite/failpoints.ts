/**
 * Failpoints: places between two steps of the store at which a test makes the process die, fail or stand still, to see
 * what becomes of the file. All of them are listed here. One at a time is armed, by an environment variable that is
 * read once; nothing else arms one, and without it passing one is a comparison with undefined.
 */
import { writeSync } from "node:fs";

/** `NAME:ACTION[:COUNT]`; count 1, the default, is the first time that the place is passed. */
export const FAILPOINT_VARIABLE = "SNAKEPIT_BRIDGE_FAILPOINT";

/** Every failpoint, in the order in which a file's life passes them, and what is done and not done there. */
export const FAILPOINTS = {
  "before-rename": "a new file is whole, beside its place",
  "after-rename-before-folder-sync": "it has its name, which may not be on disk",
  "before-append": "a batch has come, and nothing of it is written",
  "after-insert-before-commit": "it is written, in a transaction that is open",
  "after-commit-before-answer": "it is on disk, and the writing thread has told nobody",
  "before-answer": "the engine's thread has heard of it, and no caller has",
  "before-fold-slice": "a slice of a round of folding is about to begin",
  "in-fold": "rows of some sessions are written, in a transaction that is open",
  "after-fold-before-trim": "all that a round folds is in rows, and still in the tail",
  "in-trim": "rows of ended sessions and of the tail are gone, in a transaction that is open",
  "before-rests": "idle times have come, and none of them is written",
  "in-rests": "idle times are written, but not the age of the file, in a transaction that is open",
  "mid-close": "all is folded, and the file is still open",
} as const;

export type Failpoint = keyof typeof FAILPOINTS;

/** Long enough that whoever waits notices. */
const HANG_MS = 2_000;

const ACTIONS = {
  /** The process dies as by `kill -9`. */
  kill: (_name: Failpoint): void => {
    process.kill(process.pid, "SIGKILL");
  },
  /** The step fails. */
  throw: (name: Failpoint): void => {
    throw new Error(`failpoint ${name}`);
  },
  /** The thread stands still for a while, and goes on. */
  hang: (name: Failpoint): void => {
    writeSync(2, `failpoint ${name}: standing still for ${HANG_MS} ms\n`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, HANG_MS);
  },
};

interface Armed {
  readonly name: Failpoint;
  readonly action: keyof typeof ACTIONS;
  /** How often the place has still to be passed. */
  left: number;
}

/** Each thread has its own; a failpoint is passed by one thread only. */
const armed = read(process.env[FAILPOINT_VARIABLE]);

/** Passes a failpoint. */
export function failpoint(name: Failpoint): void {
  if (armed === undefined || armed instanceof Error || armed.name !== name) return;
  armed.left -= 1;
  if (armed.left === 0) ACTIONS[armed.action](name);
}

/** The failpoint that is armed, as the variable has it; throws if that makes no sense. */
export function armedFailpoint(): string | undefined {
  if (armed instanceof Error) throw armed;
  return armed && `${armed.name}:${armed.action}:${armed.left}`;
}

function read(text: string | undefined): Armed | RangeError | undefined {
  if (text === undefined || text === "") return undefined;
  const [name = "", action = "", count = "1", ...rest] = text.split(":");
  if (isOneOf(FAILPOINTS, name) && isOneOf(ACTIONS, action) && /^[1-9]\d{0,8}$/.test(count) && !rest.length) {
    return { name, action, left: Number(count) };
  }
  return new RangeError(
    `${FAILPOINT_VARIABLE} is ${JSON.stringify(text)}; it has to be NAME:ACTION[:COUNT], where NAME is one of ` +
      `${Object.keys(FAILPOINTS).join(", ")}; ACTION one of ${Object.keys(ACTIONS).join(", ")}; COUNT 1 or more`,
  );
}

function isOneOf<T extends object>(table: T, name: string): name is Extract<keyof T, string> {
  return Object.hasOwn(table, name);
}
