/** Bytes written and read in order: what records are made of. Numbers are little-endian; lengths and counts are varints. */

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Up to here a loop over the units beats the encoder and the decoder. */
const SHORT_TEXT = 64;

export class ByteWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  /** Begins again, with nothing written. */
  reset(): void {
    this.#length = 0;
  }

  /** A copy of what was written; the writer begins again. */
  finish(): Uint8Array {
    const copy = this.#bytes.slice(0, this.#length);
    this.reset();
    return copy;
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
  }

  /** A whole number from 0 to 2^53 − 1. */
  varint(value: number): void {
    this.#reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  float64(value: number): void {
    this.#reserve(8);
    this.#view.setFloat64(this.#length, value, true);
    this.#length += 8;
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.#view.setBigInt64(this.#length, value, true);
    this.#length += 8;
  }

  uint64(value: bigint): void {
    this.int64(BigInt.asIntN(64, value));
  }

  /** Well-formed text. */
  text(value: string): void {
    // One unit of UTF-16 takes at most three bytes of UTF-8.
    this.#reserve(value.length * 3 + 4);
    const start = this.#length + 4;
    const written = value.length <= SHORT_TEXT ? this.#ascii(value, start) : undefined;
    const length = written ?? encoder.encodeInto(value, this.#bytes.subarray(start)).written;
    this.#view.setUint32(this.#length, length, true);
    this.#length = start + length;
  }

  /** Bytes as they are. */
  bytes(value: Uint8Array): void {
    this.varint(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** Writes text that is all ASCII, which for short text is faster than a call of the encoder. */
  #ascii(value: string, start: number): number | undefined {
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i);
      if (unit >= 0x80) return undefined;
      this.#bytes[start + i] = unit;
    }
    return value.length;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + bytes));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** Reads what {@link ByteWriter} wrote; throws RangeError at anything it could not have written. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Throws if anything is left. */
  end(): void {
    if (this.#offset !== this.#bytes.length) throw new RangeError(`record has bytes left at ${this.#offset}`);
  }

  byte(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  varint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 49; scale *= 0x80) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte >= 0x80) continue;
      if (value <= Number.MAX_SAFE_INTEGER) return value;
      break;
    }
    throw new RangeError(`record has a number out of range at ${this.#offset}`);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8), true);
  }

  int64(): bigint {
    return this.#view.getBigInt64(this.#take(8), true);
  }

  uint64(): bigint {
    return this.#view.getBigUint64(this.#take(8), true);
  }

  text(): string {
    const length = this.#view.getUint32(this.#take(4), true);
    const start = this.#take(length);
    const short = length <= SHORT_TEXT ? this.#ascii(start, length) : undefined;
    if (short !== undefined) return short;
    try {
      return decoder.decode(this.#bytes.subarray(start, start + length));
    } catch (cause) {
      throw new RangeError(`record has text that is not UTF-8 at ${start}`, { cause });
    }
  }

  /** Bytes, which share their memory with what is read. */
  bytes(): Uint8Array {
    const length = this.varint();
    const start = this.#take(length);
    return this.#bytes.subarray(start, start + length);
  }

  /** Reads text that is all ASCII, which for short text is faster than a call of the decoder. */
  #ascii(start: number, length: number): string | undefined {
    let text = "";
    for (let i = start; i < start + length; i++) {
      const byte = this.#bytes[i] as number;
      if (byte >= 0x80) return undefined;
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #take(count: number): number {
    const start = this.#offset;
    if (start + count > this.#bytes.length) throw new RangeError(`record ends within a field at ${start}`);
    this.#offset = start + count;
    return start;
  }
}
