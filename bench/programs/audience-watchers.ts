/**
 * A process with watchers. `open` begins them; `told` waits until each has been told so many messages since the last time, and
 * answers how that went; `close` lets them go.
 *
 * Each watcher is told everything, once and in order: anything else is an error. While they are told, the one who tells is
 * told in turn how far all of them are.
 */
import { once } from "node:events";
import { connect as connectTo, type Socket } from "node:net";
import { percentile } from "../harness/statistics.js";
import { monotonicUs } from "./monotonic.js";
import { answerQuestions } from "./question-loop.js";
import type { Message, Telling } from "./telling.js";
import { type Close, openWatchers, type Told } from "./watchers.js";

type Question =
  | ({ readonly work: "open"; readonly watchers: number; readonly progressPort: number } & Telling)
  | { readonly work: "told"; readonly messages: number }
  | { readonly work: "close" };

/** How it went in one process. */
export interface ToldOutcome {
  readonly deliveries: number;
  /** When the last message came, by the clock that all processes share. */
  readonly lastUs: number;
  /** How long messages were on their way: so many values, evenly spread over all of them in order. */
  readonly latenciesUs: readonly number[];
}

const QUANTILES = 400;
/** However fast it goes, no more of them are timed. */
const MOST_TIMED = 2_000_000;
const latencies = new Float64Array(MOST_TIMED);

class Crowd {
  readonly #count: number;
  readonly #progress: Socket;
  #deliveries = 0;
  /** How many latencies there are: what is told together is one. */
  #timed = 0;
  #lastUs = 0;
  /** How many watchers have been told each message, of those that not all have been told. */
  #partly: number[] = [];
  /** What all have been told since the last question, and since the beginning. */
  #whole = 0;
  #wholeEver = 0;
  #reports = false;
  #more = (): void => {};

  constructor(count: number, progress: Socket) {
    this.#count = count;
    this.#progress = progress;
  }

  /** What a watcher does with a message. */
  watcher(): Told {
    let last: number | undefined;
    let told = 0;
    return ({ sequence, sentUs, after = sequence - 1 }: Message) => {
      if ((last !== undefined && after !== last) || sequence <= after)
        throw new Error(`message ${sequence} came after ${last}`);
      last = sequence;
      this.#lastUs = monotonicUs();
      if (this.#timed < MOST_TIMED) latencies[this.#timed++] = this.#lastUs - sentUs;
      this.#deliveries += sequence - after;
      for (let i = after; i < sequence; i++) this.#tally(told++ - this.#wholeEver);
    };
  }

  #tally(place: number): void {
    const count = (this.#partly[place] ?? 0) + 1;
    this.#partly[place] = count;
    // All are told in order, so the first message is the first that all have been told.
    if (place !== 0 || count < this.#count) return;
    this.#partly.shift();
    this.#whole++;
    this.#wholeEver++;
    this.#more();
    if (this.#reports) return;
    this.#reports = true;
    setImmediate(() => {
      this.#reports = false;
      this.#progress.write(`${this.#wholeEver}\n`);
    });
  }

  async told(messages: number): Promise<ToldOutcome> {
    while (this.#whole < messages) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
    }
    if (this.#whole > messages || this.#partly.length > 0)
      throw new Error(`more came than the ${messages} messages that were told`);
    const sorted = latencies.slice(0, this.#timed).sort();
    const quantile = (_: unknown, i: number) => percentile(sorted, (i + 0.5) / QUANTILES);
    const deliveries = this.#deliveries;
    this.#whole = 0;
    this.#deliveries = 0;
    this.#timed = 0;
    return {
      deliveries,
      lastUs: this.#lastUs,
      latenciesUs: Array.from({ length: QUANTILES }, quantile),
    };
  }
}

let crowd: Crowd | undefined;
let close: Close = async () => {};

await answerQuestions<Question>(async (question) => {
  switch (question.work) {
    case "open": {
      const progress = connectTo(question.progressPort, "127.0.0.1");
      await once(progress, "connect");
      const opened = new Crowd(question.watchers, progress);
      const tolds = Array.from({ length: question.watchers }, () => opened.watcher());
      const closeWatchers = await openWatchers(question, tolds);
      crowd = opened;
      close = async () => {
        await closeWatchers();
        progress.destroy();
      };
      return {};
    }
    case "told":
      return (crowd as Crowd).told(question.messages);
    case "close":
      await close();
      return {};
  }
});
