/** The load: workers that write one after the other, each its own variables, all of them a few sessions. */
import type { RequestId } from "../../packages/bridge/src/core/commands.js";
import type { Literal } from "../../packages/bridge/src/core/literal.js";
import { COUNTER, type Content, type Journal, NOTHING, type Slot, type Write } from "./journal.js";
import { below, type Random } from "./random.js";
import { newClientId } from "./server.js";

/** What all writes here have in common. */
const COMMON = { onMissing: "inferVariable", metadata: [] } as const;

export class Worker {
  readonly #sessionId: string;
  readonly #random: Random;
  readonly #clientId = newClientId();
  readonly #single: Slot;
  readonly #batch: Slot;
  /** A variable that is deleted and created again. */
  readonly #coming: Slot;
  /** A session that is deleted and created again, with one variable. */
  readonly #life: Slot;
  #sequence = 0;
  #count = 0;

  constructor(number: number, sessionId: string, journal: Journal, random: Random) {
    this.#sessionId = sessionId;
    this.#random = random;
    const there: Content = { session: true, value: undefined, version: 0 };
    const slot = (names: readonly string[]): Slot => ({ sessionId, names, content: there });
    this.#single = slot([`single-${number}`]);
    this.#batch = slot(["a", "b", "c"].map((part) => `batch-${number}-${part}`));
    this.#coming = slot([`coming-${number}`]);
    this.#life = { sessionId: `life-${number}`, names: ["x"], content: NOTHING };
    journal.slots.push(this.#single, this.#batch, this.#coming, this.#life);
  }

  /** The next write. */
  next(): Write {
    const chance = this.#random();
    if (chance < 0.45) return this.#set(this.#single, this.#text());
    if (chance < 0.65) return this.#setBatch();
    if (chance < 0.8) return this.#increment();
    if (chance < 0.93) return this.#comeOrGo();
    return this.#live();
  }

  #text(): string {
    // Enough of it that the file is folded and its log is checkpointed many times.
    return `${++this.#count}:${"x".repeat(below(10, this.#random) === 0 ? 20_000 : below(2_000, this.#random))}`;
  }

  #requestId(): RequestId {
    return { clientId: this.#clientId, sequence: ++this.#sequence };
  }

  #set(slot: Slot, value: string): Write {
    const { sessionId, names } = slot;
    const item = { identifier: names[0] as string, value: string(value) };
    return {
      command: { kind: "setVariable", sessionId, item, ...COMMON, requestId: this.#requestId() },
      slot,
      becomes: written(slot, value),
    };
  }

  #setBatch(): Write {
    const slot = this.#batch;
    const { sessionId, names } = slot;
    const value = `${++this.#count}`;
    const items = names.map((identifier) => ({ identifier, value: string(value) }));
    const requestId = this.#requestId();
    return {
      command: { kind: "setVariables", sessionId, items, atomic: true, ...COMMON, requestId },
      slot,
      becomes: written(slot, value),
    };
  }

  #increment(): Write {
    const by: Literal = { kind: "integer", value: 1n };
    const identifier = COUNTER;
    const requestId = this.#requestId();
    const sessionId = this.#sessionId;
    return {
      command: { kind: "incrementVariable", sessionId, identifier, by, ...COMMON, requestId },
      slot: undefined,
      becomes: NOTHING,
    };
  }

  #comeOrGo(): Write {
    const slot = this.#coming;
    const { sessionId, names, content } = slot;
    if (content.value === undefined) return this.#set(slot, this.#text());
    const identifier = names[0] as string;
    return {
      command: { kind: "deleteVariable", sessionId, identifier, requestId: this.#requestId() },
      slot,
      becomes: { ...content, value: undefined },
    };
  }

  #live(): Write {
    const slot = this.#life;
    const { sessionId, content } = slot;
    if (!content.session) {
      const requestId = this.#requestId();
      return {
        command: { kind: "createSession", sessionId, ttlMs: 0, metadata: [], requestId },
        slot,
        becomes: { session: true, value: undefined, version: 0 },
      };
    }
    if (below(3, this.#random) > 0) return this.#set(slot, this.#text());
    return { command: { kind: "deleteSession", sessionId }, slot, becomes: NOTHING };
  }
}

function string(value: string): Literal {
  return { kind: "string", value };
}

function written({ content }: Slot, value: string): Content {
  return { session: true, value, version: content.version + 1 };
}
