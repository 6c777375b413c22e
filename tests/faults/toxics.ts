/**
 * What can happen to the bytes of a connection on their way, and what it makes of them: pure, so that time and chance are passed
 * in. `toxic-proxy.ts` does to real sockets what is decided here.
 */
import { below, type Random, randomFrom } from "../crash/random.js";

/** From the client to the server, or back. */
export type Direction = "up" | "down";

/** How a connection ends: at once and with everything that is still on its way, or after the last byte that was passed on. */
export type End = "reset" | "close";

export type Toxic =
  /** Each byte comes so much later. */
  | { readonly kind: "latency"; readonly ms: number; readonly jitterMs: number }
  | { readonly kind: "bandwidth"; readonly bytesPerSecond: number }
  /** Nothing is passed on in larger pieces. */
  | { readonly kind: "slices"; readonly bytes: number }
  /** Swallows all: of every connection, a black hole; of those that stand when it is laid, which are half open then. */
  | { readonly kind: "silence"; readonly of: "all" | "standing" }
  /** Resets the connections that stand, and new ones at their first byte. */
  | { readonly kind: "reset" }
  /** That one side has closed is passed on so much later. */
  | { readonly kind: "slowClose"; readonly ms: number }
  /** Each connection ends after so many bytes from now on. */
  | { readonly kind: "cutAfter"; readonly bytes: number; readonly how: End }
  /** Connections end after a random number of bytes below this, each in a random way, so many times. */
  | { readonly kind: "cutAtRandom"; readonly below: number; readonly seed: number; readonly times: number };

interface Cut {
  readonly bytes: number;
  readonly how: End;
}

/** A toxic that was laid, and what it has drawn so far. */
export class Laid {
  readonly direction: Direction;
  readonly toxic: Toxic;
  /** How many connections had been made. */
  readonly since: number;
  readonly #random: Random;
  #drawn = 0;

  constructor(direction: Direction, toxic: Toxic, since: number) {
    this.direction = direction;
    this.toxic = toxic;
    this.since = since;
    this.#random = randomFrom(toxic.kind === "cutAtRandom" ? toxic.seed : 0);
  }

  /** Where the next connection is to be cut; undefined: not by this one. */
  nextCut(): Cut | undefined {
    const { toxic } = this;
    if (toxic.kind === "cutAfter") return toxic;
    if (toxic.kind !== "cutAtRandom" || this.#drawn === toxic.times) return undefined;
    this.#drawn++;
    return {
      bytes: below(toxic.below, this.#random),
      how: this.#random() < 0.5 ? "reset" : "close",
    };
  }
}

/** What becomes of a chunk. */
export interface Passage {
  /** What is passed on: how many bytes each, and when. What is not in them is swallowed. */
  readonly pieces: readonly { readonly bytes: number; readonly at: number }[];
  /** How the connection ends after that. */
  readonly end: End | undefined;
}

/** One direction of one connection. */
export class Course {
  /** Which connection it is of, counted from 1. */
  readonly #connection: number;
  readonly #random: Random;
  /** Where each toxic cuts it, counted from its next byte. */
  readonly #cuts = new Map<Laid, Cut | undefined>();
  #lastAt = 0;
  #freeAt = 0;

  constructor(connection: number, random: Random) {
    this.#connection = connection;
    this.#random = random;
  }

  /** Takes a chunk. `now` is in milliseconds. */
  take(bytes: number, now: number, laid: readonly Laid[]): Passage {
    const toxics = laid.map(({ toxic }) => toxic);
    if (toxics.some(({ kind }) => kind === "reset")) return { pieces: [], end: "reset" };
    if (laid.some((each) => this.#isSilenced(each))) return { pieces: [], end: undefined };
    const { passed, end } = this.#cut(bytes, laid);
    const slice = Math.min(
      ...toxics.flatMap((toxic) => (toxic.kind === "slices" ? [toxic.bytes] : [])),
      Math.max(1, passed),
    );
    const pieces = [];
    for (let left = passed; left > 0; left -= slice) {
      const piece = Math.min(left, slice);
      pieces.push({ bytes: piece, at: this.#arrival(piece, now, toxics) });
    }
    return { pieces, end };
  }

  /** When it is passed on that its end was closed. */
  endAt(now: number, laid: readonly Laid[]): number {
    const slow = laid.map(({ toxic }) => (toxic.kind === "slowClose" ? toxic.ms : 0));
    return Math.max(now + Math.max(0, ...slow), this.#lastAt);
  }

  #isSilenced({ toxic, since }: Laid): boolean {
    return toxic.kind === "silence" && (toxic.of === "all" || this.#connection <= since);
  }

  /** How many of the bytes are passed on, and whether it ends with them. */
  #cut(bytes: number, laid: readonly Laid[]): { passed: number; end: End | undefined } {
    let passed = bytes;
    let end: End | undefined;
    for (const each of laid) {
      if (!this.#cuts.has(each)) this.#cuts.set(each, each.nextCut());
      const cut = this.#cuts.get(each);
      if (cut === undefined || cut.bytes > passed) continue;
      passed = cut.bytes;
      end = cut.how;
    }
    for (const [each, cut] of this.#cuts)
      if (cut !== undefined) this.#cuts.set(each, { ...cut, bytes: cut.bytes - passed });
    return { passed, end };
  }

  /** Nothing overtakes what came before it. */
  #arrival(bytes: number, now: number, toxics: readonly Toxic[]): number {
    let at = now;
    for (const toxic of toxics)
      if (toxic.kind === "latency") at += toxic.ms + this.#random() * toxic.jitterMs;
    for (const toxic of toxics) {
      if (toxic.kind !== "bandwidth") continue;
      this.#freeAt = Math.max(at, this.#freeAt) + (bytes / toxic.bytesPerSecond) * 1_000;
      at = this.#freeAt;
    }
    this.#lastAt = Math.max(at, this.#lastAt);
    return this.#lastAt;
  }
}
