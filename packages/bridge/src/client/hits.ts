/** Values that can be read at once, as they are given to the caller: made when they are first read, and kept while they stand. */
import type { DefinedValues } from "./defined-values.js";
import type { PinnableReads } from "./pinnable-reads.js";
import type { Pins } from "./pins.js";
import type { Held } from "./reads.js";
import type { Replica } from "./replica.js";
import type { VariableValue } from "./values.js";

export class Hits {
  /** How often one of these was the answer; what else is answered here is counted where it is. */
  count = 0;
  readonly #pins: Pins;
  readonly #replica: Replica | undefined;
  readonly #defined: DefinedValues;
  /** What the copy of the session has, true while it is of this generation. */
  readonly #values = new Map<string, VariableValue>();
  #generation = 0;
  #isClosed = false;

  constructor(reads: PinnableReads, defined: DefinedValues) {
    this.#pins = reads.pins;
    this.#replica = reads.replica;
    this.#defined = defined;
  }

  /** What is pinned, or the copy has of a variable; undefined if that cannot be read without a word about it. */
  find(name: string): VariableValue | undefined {
    if (this.#isClosed) return undefined;
    const pinned = this.#pins.current?.values.get(name);
    if (pinned !== undefined) return pinned;
    const replica = this.#replica;
    if (replica === undefined) return undefined;
    if (replica.generation !== this.#generation) {
      this.#values.clear();
      this.#generation = replica.generation;
    }
    const known = this.#values.get(name);
    if (known !== undefined) {
      this.count++;
      return known;
    }
    const entry = replica.isCurrent ? replica.find(name) : undefined;
    if (entry?.value === undefined) return undefined;
    const value = this.#defined.read(name, entry as Held);
    this.#values.set(name, value);
    this.count++;
    return value;
  }

  close(): void {
    this.#isClosed = true;
    this.#values.clear();
  }
}
