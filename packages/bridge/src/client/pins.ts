/**
 * Pinned snapshots: while a function runs, and in all that it waits for, reads of a session are answered from one revision,
 * whatever is written meanwhile. A request that reads its configuration twice does not find two different ones.
 *
 * To pass a snapshot along through every function was considered. It is always possible, and `session.snapshot()` is for it;
 * but then every function that reads has to know whether it runs within a request.
 */
import type { Freshness, Held } from "./reads.js";
import type { VariableValue } from "./values.js";

/** What is pinned of a session: its defined variables, by name. */
export interface Pinned {
  readonly variables: ReadonlyMap<string, Held>;
  readonly values: ReadonlyMap<string, VariableValue>;
  readonly freshness: Freshness;
}

/** What a function runs under. */
export interface Pin {
  readonly owner: Pins;
  /** Undefined: the function has ended. What it has started and not waited for reads as if there had been none. */
  pinned: Pinned | undefined;
  readonly atMs: number;
  /** The pin around it, perhaps of another session. */
  outer: Pin | undefined;
}

/** Carries something along with all that a function waits for. Node's AsyncLocalStorage is one; browsers have none yet. */
export interface AsyncContext<T> {
  getStore(): T | undefined;
  run<R>(store: T | undefined, work: () => R): R;
}

/** The pins of one session. */
export class Pins {
  readonly #context: AsyncContext<Pin> | undefined;
  readonly #now: () => number;
  /** How many functions run under a pin of this session. */
  #running = 0;

  /** @param now milliseconds of a clock that never jumps */
  constructor(context: AsyncContext<Pin> | undefined, now: () => number) {
    this.#context = context;
    this.#now = now;
  }

  /** What is pinned where this is called; undefined: nothing is. */
  get current(): Pinned | undefined {
    return this.#pin()?.pinned;
  }

  /** How fresh that is by now. */
  freshness(): Freshness | undefined {
    const pin = this.#pin();
    if (pin?.pinned === undefined) return undefined;
    const { revision, source, stale, ageMs } = pin.pinned.freshness;
    return { revision, source, stale, ageMs: ageMs + this.#now() - pin.atMs };
  }

  /** Runs a function with something pinned. Throws TypeError where there is nothing to carry it. */
  async run<R>(pinned: Pinned, work: () => R | Promise<R>): Promise<R> {
    const context = this.#context;
    if (context === undefined) throw noContext();
    const pin: Pin = { owner: this, pinned, atMs: this.#now(), outer: running(context.getStore()) };
    this.#running++;
    try {
      return await context.run(pin, async () => work());
    } finally {
      // Whatever was begun in it holds the pin for as long as it likes: a timer, a subscription, the next pin.
      pin.pinned = undefined;
      pin.outer = running(pin.outer);
      this.#running--;
    }
  }

  /** Runs a function with nothing pinned, of no session. */
  leave<R>(work: () => R): R {
    return this.#context === undefined ? work() : this.#context.run(undefined, work);
  }

  #pin(): Pin | undefined {
    // Nearly always there is none, and a read does not pay for looking.
    if (this.#running === 0) return undefined;
    let pin = this.#context?.getStore();
    while (pin !== undefined && (pin.owner !== this || pin.pinned === undefined)) pin = pin.outer;
    return pin;
  }
}

/** A pin that still runs: this one, or the first around it. */
function running(pin: Pin | undefined): Pin | undefined {
  let found = pin;
  while (found !== undefined && found.pinned === undefined) found = found.outer;
  return found;
}

function noContext(): TypeError {
  return new TypeError(
    "a snapshot cannot be pinned here: a browser has nothing that carries it through awaits; pass on what snapshot() gives",
  );
}
