/**
 * A command on its way, from the call to its end: an answer, an error, or the reason of an abort. What a failed attempt means
 * is decided in `outcome.ts`; here the caller is told.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, Reply } from "../../core/commands.js";
import { type BridgeError, type ErrorReason, errorFor, errorFrom } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import { CODES, codeOf } from "../../wire/errors.js";
import { transportError } from "../../wire/transport-error.js";
import { afterFailure, type Verdict } from "../outcome.js";
import type { OnAbort } from "./abort.js";
import { isWrite } from "./transport.js";

/** An attempt that did not end with a reply. */
export interface Failed {
  /** The gRPC status; undefined if the command was not handed over. */
  readonly status: number | undefined;
  /** What the transport says, for people. */
  readonly details: string;
  /** What the bridge says. */
  readonly refusal: Refusal | undefined;
}

export const NOT_HANDED_OVER: Failed = { status: undefined, details: "", refusal: undefined };

/** What is sent on a stream and waits there for its end. */
export interface Carried {
  readonly bytes: Uint8Array;
  /** What the bytes ask for. */
  readonly asks: "answer" | "events" | "state";
  /** By the transport's clock. */
  readonly deadline: number;
  /** Takes what a watch tells. */
  told(bytes: Uint8Array): void;
  /** Takes the reply. A time in milliseconds: it has to be sent again after that. Undefined: the caller was told. */
  answered(bytes: Uint8Array, timeLeftMs: number, attempt: number, jitter: number): number | undefined;
  /** Takes that an attempt has failed. Answers as `answered` does. */
  failed(failed: Failed, timeLeftMs: number, attempt: number, jitter: number): number | undefined;
}

/** How its caller is told. */
export interface Told {
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: unknown) => void;
}

export interface ErrandOptions extends Told {
  readonly address: string;
  readonly command: Command;
  readonly bytes: Uint8Array;
  /** Reads an answer. Throws a BridgeError for what makes no sense. */
  read(bytes: Uint8Array): Reply | Refusal;
  /** What to do where no bridge answers, for people. */
  readonly advice: string;
  readonly timeoutMs: number;
  /** By the transport's clock. */
  readonly deadline: number;
}

/** What has errands carried out. */
export interface Carrier {
  /** Takes one, and tells it what becomes of it. */
  submit(errand: Errand): void;
  /** Lets go of one whose time is up, and tells it what that means. */
  expire(errand: Errand): void;
  /** Lets go of one whose caller waits no longer. */
  withdraw(errand: Errand): void;
}

/** When an errand begins and ends. */
export interface Passage {
  readonly clock: Clock;
  readonly onAbort: OnAbort;
  readonly carrier: Carrier;
}

/** Has a command carried out, until it is answered, its time is up, or its caller aborts. */
export function carry(
  options: Omit<ErrandOptions, "deadline" | keyof Told>,
  { clock, onAbort, carrier }: Passage,
): Promise<Reply> {
  const { timeoutMs } = options;
  return new Promise((resolve, reject) => {
    const end = (): void => {
      cancelTimer();
      stopListening();
    };
    const errand = new Errand({
      ...options,
      deadline: clock.now() + timeoutMs,
      resolve: (reply) => {
        end();
        resolve(reply);
      },
      reject: (error) => {
        end();
        reject(error);
      },
    });
    const cancelTimer = clock.setTimer(timeoutMs, () => carrier.expire(errand));
    const stopListening = onAbort((reason) => {
      carrier.withdraw(errand);
      errand.aborted(reason);
    });
    carrier.submit(errand);
  });
}

export class Errand implements Carried {
  readonly asks = "answer";
  readonly bytes: Uint8Array;
  readonly deadline: number;
  readonly #options: ErrandOptions;
  readonly #isWrite: boolean;
  /** Whether an attempt was handed over and not definitely answered. */
  #lostBefore = false;
  #isSettled = false;

  constructor(options: ErrandOptions) {
    this.bytes = options.bytes;
    this.deadline = options.deadline;
    this.#options = options;
    this.#isWrite = isWrite(options.command.kind);
  }

  /** Whether its caller was told how it ended. */
  get isSettled(): boolean {
    return this.#isSettled;
  }

  /** Commands are answered and not told of. */
  told(): void {}

  /** Takes the answer. A time in milliseconds: it has to be asked for again after that. Undefined: the caller was told. */
  answered(bytes: Uint8Array, timeLeftMs: number, attempt: number, jitter: number): number | undefined {
    let reply: Reply | Refusal;
    try {
      reply = this.#options.read(bytes);
      if (!(reply instanceof Refusal) && reply.kind !== this.#options.command.kind)
        throw errorFor("PROTOCOL", `the answer is one to ${reply.kind}`, this.#where);
    } catch (cause) {
      this.#reject(this.#isWrite ? this.#senseless(cause) : cause);
      return undefined;
    }
    if (!(reply instanceof Refusal)) {
      this.#isSettled = true;
      this.#options.resolve(reply);
      return undefined;
    }
    const failed = { status: CODES[codeOf(reply.reason)], details: reply.message, refusal: reply };
    return this.failed(failed, timeLeftMs, attempt, jitter);
  }

  /** Takes that an attempt has failed. Answers as `answered` does. */
  failed(failed: Failed, timeLeftMs: number, attempt: number, jitter: number): number | undefined {
    const { status, refusal } = failed;
    const isWrite = this.#isWrite;
    const verdict = afterFailure(
      { isWrite, attempt, timeLeftMs, status, reason: refusal?.reason, lostBefore: this.#lostBefore },
      jitter,
    );
    if (verdict.kind !== "retry") {
      this.#reject(this.#error(verdict, failed));
      return undefined;
    }
    this.#lostBefore ||= isWrite;
    return verdict.afterMs;
  }

  /** Tells the caller that it was waited for long enough. */
  aborted(reason: unknown): void {
    this.#reject(reason);
  }

  #reject(error: unknown): void {
    this.#isSettled = true;
    this.#options.reject(error);
  }

  /** Which session it is about. */
  get #where(): { readonly sessionId?: string } {
    const { command } = this.#options;
    return "sessionId" in command ? { sessionId: command.sessionId } : {};
  }

  #senseless(cause: unknown): BridgeError {
    const text = `the bridge at ${this.#options.address} carried the write out, but its answer makes no sense`;
    return errorFor("OUTCOME_UNKNOWN", text, { ...this.#where, cause });
  }

  #error({ kind }: Verdict, { status, details, refusal }: Failed): BridgeError {
    const { address, advice, timeoutMs } = this.#options;
    const failure = (reason: ErrorReason, text: string): BridgeError => errorFor(reason, text, this.#where);
    const told = details === "" ? "" : ` (${details})`;
    switch (kind) {
      case "unavailable":
        return status === undefined
          ? failure("UNAVAILABLE", `no bridge answers at ${address}; nothing was done. ${advice}`)
          : failure("UNAVAILABLE", `the bridge at ${address} is gone${told}`);
      case "deadline":
        return failure("DEADLINE_EXCEEDED", `the bridge at ${address} did not answer within ${timeoutMs} ms`);
      case "unknown":
        return failure(
          "OUTCOME_UNKNOWN",
          `the bridge at ${address} did not answer the write, which may have been carried out${told}; ` +
            "read what became of it",
        );
      default:
        return refusal === undefined
          ? transportError({ code: status ?? 0, message: `${details} (from ${address})` })
          : errorFrom(refusal);
    }
  }
}
