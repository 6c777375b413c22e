/** A watch on its way over HTTP, of either kind: a request that goes on being answered until it ends. */
import type { Clock } from "../../core/clock.js";
import type { BridgeError } from "../../core/errors.js";
import { STATUS } from "../outcome.js";
import { type Failed, NOT_HANDED_OVER } from "./errand.js";
import { Silence } from "./silence.js";
import { watchEnding } from "./watch-ending.js";
import { stream } from "./web-http.js";
import type { Reach } from "./web-reach.js";

/** What is asked for, how what is told is read, and who is told it. */
export interface WebStreamOptions<T> {
  readonly address: string;
  readonly url: string;
  readonly bytes: Uint8Array;
  readonly clock: Clock;
  readonly reach: Reach;
  /** Done when it is its turn among the calls of the session. Answers how to let those after it go on. */
  turn(): Promise<() => void>;
  /** Throws a BridgeError for what makes no sense. */
  read(bytes: Uint8Array): T;
  /** Something has come, whatever it is. */
  heard(): void;
  told(told: T): void;
  ended(error: BridgeError): void;
  /** Called once, when it takes no connection any more. */
  left(): void;
}

export class WebStream<T> {
  readonly #options: WebStreamOptions<T>;
  readonly #abort = new AbortController();
  readonly #silence: Silence;
  #letGoOn = (): void => {};
  #isOver = false;

  constructor(options: WebStreamOptions<T>) {
    this.#options = options;
    this.#silence = new Silence(
      options.clock,
      () => true,
      () => this.giveUp("nothing was heard of it for 5 s"),
    );
  }

  async begin(): Promise<void> {
    const { url, bytes, reach, turn, address } = this.#options;
    this.#letGoOn = await turn();
    const isThere = this.#isOver || (await reach.isThere());
    if (this.#isOver) return this.#letGoOn();
    if (!isThere) return this.end(watchEnding(NOT_HANDED_OVER, address));
    this.#silence.start();
    const { signal } = this.#abort;
    const why = await stream(
      { url, bytes, signal },
      () => this.#heard(),
      (message) => this.#told(message),
    );
    this.#lost(why);
  }

  /** Nobody reads any more. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#silence.stop();
    this.#abort.abort();
    this.#letGoOn();
    this.#options.left();
  }

  /** Ends it from this side, since it is of no more use, as if the connection had broken. */
  giveUp(details: string): void {
    this.#lost({ status: STATUS.UNAVAILABLE, details, refusal: undefined });
  }

  /** Ends it from this side, and says why. */
  end(why: BridgeError): void {
    if (this.#isOver) return;
    this.stop();
    this.#options.ended(why);
  }

  #heard(): void {
    if (this.#isOver) return;
    this.#silence.heard();
    this.#options.heard();
  }

  #told(message: Uint8Array): void {
    // In which nothing is set: a sign of life of a bridge that still reads the session.
    if (this.#isOver || message.length === 0) return;
    try {
      this.#options.told(this.#options.read(message));
    } catch (cause) {
      return this.end(cause as BridgeError);
    }
    // From now on all is told, so those who wait to change something may.
    this.#letGoOn();
  }

  #lost(failed: Failed): void {
    if (this.#isOver) return;
    if (failed.status === STATUS.UNAVAILABLE) this.#options.reach.lost();
    this.end(watchEnding(failed, this.#options.address));
  }
}
