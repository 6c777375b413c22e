/** Puts together what a channel carries in parts. The parts of one command or reply follow each other. */

/** A part. */
export interface Part {
  readonly id: number;
  readonly bytes: Uint8Array;
  /** Whether another one follows. */
  readonly more: boolean;
}

/** Why parts do not come to a whole. */
export type Fault =
  /** They are longer than the limit; this is how long they were together. */
  | { readonly kind: "too long"; readonly bytes: number }
  /** A part of something else has come in between. */
  | { readonly kind: "out of turn"; readonly expectedId: number };

export class Parts {
  readonly #maxBytes: number;
  #id = 0;
  /** What there is of the whole that is coming. Beyond the limit parts are counted and not kept. */
  #kept: Uint8Array[] = [];
  #bytes = 0;
  #isOpen = false;

  /** `maxBytes` is the limit for a whole. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Takes a part. Answers the whole that it completes, undefined while there is more to come, or what is wrong. */
  add({ id, bytes, more }: Part): Uint8Array | Fault | undefined {
    if (!this.#isOpen && !more && bytes.length <= this.#maxBytes) return bytes;
    if (this.#isOpen && id !== this.#id) return { kind: "out of turn", expectedId: this.#id };
    this.#isOpen = true;
    this.#id = id;
    this.#bytes += bytes.length;
    if (this.#bytes <= this.#maxBytes) this.#kept.push(bytes);
    else this.#kept = [];
    return more ? undefined : this.#take();
  }

  #take(): Uint8Array | Fault {
    const length = this.#bytes;
    const kept = this.#kept;
    this.#kept = [];
    this.#bytes = 0;
    this.#isOpen = false;
    return length > this.#maxBytes ? { kind: "too long", bytes: length } : joined(kept, length);
  }
}

/** Bytes one after the other. */
export function joined(pieces: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
