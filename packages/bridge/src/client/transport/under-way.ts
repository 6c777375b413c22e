/**
 * The calls of a client that are under way, whatever carries them: what each may be given, that there are none after the close, and
 * that the close waits for those that there are.
 */
import type { Command, Reply, ReplyTo } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import { AbortWatch, type OnAbort } from "./abort.js";
import { type CallOptions, checkTimeout, DEFAULT_TIMEOUT_MS } from "./transport.js";

export class UnderWay {
  /** How long a call waits that says nothing else, in milliseconds. */
  readonly timeoutMs: number;
  readonly #closedError: () => BridgeError;
  readonly #aborts = new AbortWatch();
  readonly #calls = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @param closedError what is thrown after the close */
  constructor(closedError: () => BridgeError, timeoutMs = DEFAULT_TIMEOUT_MS) {
    this.timeoutMs = checkTimeout(timeoutMs);
    this.#closedError = closedError;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Has a command carried out, unless the options are wrong, its caller has gone, or the client is closed. */
  async call<C extends Command>(
    { timeoutMs = this.timeoutMs, signal }: CallOptions = {},
    carry: (timeoutMs: number, onAbort: OnAbort) => Promise<Reply>,
  ): Promise<ReplyTo<C["kind"]>> {
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    if (this.#isClosed) throw this.#closedError();
    const answer = carry(timeoutMs, this.#aborts.of(signal));
    this.#calls.add(answer);
    try {
      return (await answer) as ReplyTo<C["kind"]>;
    } finally {
      this.#calls.delete(answer);
    }
  }

  /** Takes no further call. */
  close(): void {
    this.#isClosed = true;
  }

  /** Done when all have come to their end. Each has its own deadline, so that is soon. */
  async ended(): Promise<void> {
    await Promise.allSettled(this.#calls);
  }
}
