/** Reads that are answered from a pinned snapshot where there is one, unless they say how fresh the answer has to be. */
import type { Pinned, Pins } from "./pins.js";
import type {
  Answer,
  Answers,
  CacheStats,
  FoundVariables,
  Freshness,
  FreshOptions,
  Held,
  ReadOptions,
  Reads,
} from "./reads.js";
import type { Replica } from "./replica.js";
import type { CallOptions } from "./transport/transport.js";
import { Turns } from "./turns.js";

export class PinnableReads implements Reads {
  readonly pins: Pins;
  readonly turns: Turns;
  readonly #reads: Reads;

  constructor(reads: Reads, pins: Pins, turn: () => Promise<void>) {
    this.#reads = reads;
    this.pins = pins;
    this.turns = new Turns(turn);
  }

  get replica(): Replica | undefined {
    return this.#reads.replica;
  }

  get(identifier: string, options: FreshOptions): Promise<Answer> {
    return this.#inTurn(this.#get(identifier, options));
  }

  async #get(identifier: string, options: FreshOptions): Promise<Answer> {
    const { after, maxAgeMs } = options;
    const pinned = after === undefined && maxAgeMs === undefined ? this.#pinned(options) : undefined;
    const variable = pinned?.variables.get(identifier);
    if (variable === undefined) return this.#reads.get(identifier, options);
    return { variable, ...(this.pins.freshness() as Freshness) };
  }

  getMany(identifiers: readonly string[], options: ReadOptions): Promise<FoundVariables> {
    return this.#inTurn(this.#getMany(identifiers, options));
  }

  async #getMany(identifiers: readonly string[], options: ReadOptions): Promise<FoundVariables> {
    return this.#pinnedOf(identifiers, options) ?? this.#reads.getMany(identifiers, options);
  }

  snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    return this.#inTurn(this.#snapshot(identifiers, options));
  }

  async #snapshot(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    const found = this.#pinnedOf(identifiers, options);
    if (found === undefined) return this.#reads.snapshot(identifiers, options);
    return { ...found, ...(this.pins.freshness() as Freshness) };
  }

  /** What a function is to run under. Where something is pinned it is that, however fresh it was to be (ORD-22). */
  toPin(identifiers: readonly string[], options: ReadOptions): Promise<Answers> {
    const isPinned = this.pins.current !== undefined;
    return this.snapshot(identifiers, isPinned ? { ...options, bypassCache: false } : options);
  }

  peek(identifier: string): Held {
    return this.pins.current?.variables.get(identifier) ?? this.#reads.peek(identifier);
  }

  ready(options: CallOptions): Promise<void> {
    return this.#reads.ready(options);
  }

  /** Done when the copy that is kept is current, or is not in the time of a call; undefined: it is, or none is kept. */
  catchUp(): Promise<void> | undefined {
    const { replica } = this;
    if (replica?.revision === undefined || replica.isCurrent) return undefined;
    return this.#reads.ready({}).catch(() => {});
  }

  setTtl(ttlMs: number): void {
    this.#reads.setTtl(ttlMs);
  }

  invalidate(identifier?: string): void {
    this.#reads.invalidate(identifier);
  }

  stats(): CacheStats {
    return this.#reads.stats();
  }

  close(): void {
    this.#reads.close();
  }

  async #inTurn<T>(answer: Promise<T>): Promise<T> {
    const turn = this.turns.next();
    const answered = await answer;
    if (turn !== undefined) await turn;
    return answered;
  }

  /** What is pinned, and to be read from; undefined: the answer has to be fresh, or nothing is pinned. */
  #pinned({ bypassCache = false }: ReadOptions): Pinned | undefined {
    return bypassCache ? undefined : this.pins.current;
  }

  /** Variables as they are pinned; undefined if one of them is not, so that all are read at one revision. */
  #pinnedOf(identifiers: readonly string[], options: ReadOptions): FoundVariables | undefined {
    const pinned = this.#pinned(options);
    if (pinned === undefined) return undefined;
    const found: FoundVariables["found"][number][] = [];
    for (const identifier of new Set(identifiers)) {
      const variable = pinned.variables.get(identifier);
      if (variable === undefined) return undefined;
      found.push({ identifier, variable });
    }
    return { found, missing: [] };
  }
}
