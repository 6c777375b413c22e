/**
 * Waiting for a value. The variable is watched meanwhile, so every value that it takes is looked at, however short it stands.
 * It does the same as in the Python client.
 */
import {
  type BridgeError,
  DeadlineError,
  errorFor,
  SessionNotFoundError,
  UnavailableError,
  VariableNotFoundError,
  WatchGapError,
} from "../core/errors.js";
import { parseIdentifier, quoteName } from "../core/names.js";
import { Refusal } from "../core/refusal.js";
import type { SessionEvent, VariableAt } from "../core/session/event.js";
import type { Deadline } from "./deadline.js";
import type { CallOptions } from "./transport/transport.js";
import type { SessionWatch } from "./watching.js";

/** How long a bridge is left alone that stands and does not answer a read, in milliseconds. */
export const LOOK_AGAIN_MS = 100;

/** What is told of a variable that has a value. */
export interface ToldVariable extends Required<VariableAt> {
  readonly name: string;
  readonly id: string;
}

/** A value that is waited for. */
export interface Wait<V> {
  /** Which variable, by its name or id. */
  readonly identifier: string;
  readonly sessionId: string;
  /** Begins a watch of the variable with this name. `lost` is told each time that it is lost, and why. */
  watch(name: string, lost: (error: BridgeError) => void): SessionWatch<SessionEvent>;
  /** Asks the bridge. */
  read(options: CallOptions): Promise<V>;
  /** The same of what was told. */
  view(told: ToldVariable): V;
  isWanted(value: V): boolean | Promise<boolean>;
}

/** Waits until the value is the one that is wanted. */
export async function untilWanted<V>(wait: Wait<V>, deadline: Deadline): Promise<V> {
  for (;;) {
    const waiting = new Waiting(wait, deadline);
    try {
      const found = await waiting.value();
      // Where something was missed it is looked at anew.
      if (found !== "missed") return found.value;
    } finally {
      await waiting.end();
    }
  }
}

/** A wait with one watch. */
class Waiting<V> {
  readonly #wait: Wait<V>;
  readonly #deadline: Deadline;
  readonly #id: string | undefined;
  readonly #watch: SessionWatch<SessionEvent>;
  /** Why the variable cannot be read. */
  #problem: BridgeError | undefined;
  /** Why the bridge was lost, until it tells something again. */
  #lost: BridgeError | undefined;

  constructor(wait: Wait<V>, deadline: Deadline) {
    this.#wait = wait;
    this.#deadline = deadline;
    const parsed = parseIdentifier(wait.identifier);
    // One that is neither a name nor an id is refused when it is read or watched.
    const { name, id } = parsed instanceof Refusal ? { name: wait.identifier, id: undefined } : parsed;
    this.#id = id;
    this.#watch = wait.watch(name, (error) => {
      this.#lost = error;
    });
  }

  /** The value that is wanted; `missed` if some may have been that nobody tells any more. */
  async value(): Promise<{ readonly value: V } | "missed"> {
    for (let readAgain = true; ; ) {
      if (readAgain) {
        if ((await this.#within(this.#watch.ready())) === "missed") return "missed";
        this.#lost = undefined;
        const found = await this.#read();
        if (found !== undefined && (await this.#wait.isWanted(found.value))) return found;
        // A bridge that has not answered is asked once more.
        readAgain = this.#problem instanceof UnavailableError || this.#problem instanceof DeadlineError;
        if (readAgain) await this.#deadline.pause(LOOK_AGAIN_MS);
      } else {
        const next = await this.#within(this.#watch.next());
        if (next === "missed") return next;
        if (next.done === true) throw errorFor("CLOSED", "the watch of a wait was ended");
        this.#lost = undefined;
        for (const told of this.#toldIn(next.value)) {
          if (told === undefined) readAgain = true;
          else if (await this.#wait.isWanted(told)) return { value: told };
        }
      }
      if (this.#deadline.leftMs <= 0) throw this.#late();
    }
  }

  async end(): Promise<void> {
    await this.#watch.return();
  }

  /** What the watch tells in time. */
  async #within<T>(coming: Promise<T>): Promise<T | "missed"> {
    try {
      if (await this.#deadline.comes(coming)) return await coming;
    } catch (error) {
      if (error instanceof WatchGapError) return "missed";
      throw error;
    }
    throw this.#late();
  }

  async #read(): Promise<{ readonly value: V } | undefined> {
    try {
      const value = await this.#wait.read(this.#deadline.options());
      this.#problem = undefined;
      return { value };
    } catch (problem) {
      if (!isWaitedOut(problem)) throw problem;
      this.#problem = problem;
      return undefined;
    }
  }

  /** The values that an event tells of the variable; undefined where one has to look. */
  *#toldIn({ changes }: SessionEvent): Iterable<V | undefined> {
    // The session begins or ends.
    if (changes.length === 0) yield undefined;
    for (const { name, id = "", after } of changes) {
      const { version, type, value } = after ?? {};
      const isIt = this.#id === undefined || this.#id === id;
      if (!isIt || version === undefined || type === undefined || value === undefined) yield undefined;
      else {
        this.#problem = undefined;
        yield this.#wait.view({ name, id, version, type, value });
      }
    }
  }

  #late(): BridgeError {
    const { identifier, sessionId } = this.#wait;
    const { timeoutMs } = this.#deadline;
    const problem =
      this.#lost ?? this.#problem ?? (this.#watch.point === undefined ? unanswered(timeoutMs) : undefined);
    const why = problem === undefined ? "its value was not the one waited for" : problem.message;
    return errorFor(
      "DEADLINE_EXCEEDED",
      `the wait for ${quoteName(identifier)} ended after ${timeoutMs} ms: ${why}`,
      { identifier, sessionId, ...(problem === undefined ? {} : { cause: problem }) },
    );
  }
}

function unanswered(timeoutMs: number): BridgeError {
  return errorFor("DEADLINE_EXCEEDED", `the bridge did not answer within ${timeoutMs} ms`);
}

/** What may be otherwise at the next look. */
function isWaitedOut(problem: unknown): problem is BridgeError {
  return (
    problem instanceof VariableNotFoundError ||
    problem instanceof SessionNotFoundError ||
    problem instanceof UnavailableError ||
    problem instanceof DeadlineError
  );
}
