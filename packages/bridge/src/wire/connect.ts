/**
 * The forms of the Connect protocol, which browsers and curl speak: what is sent, as what, in which envelopes, and by which words an
 * answer says that it is none. Both sides of it are here; the messages within are the contract's.
 */
import { CODES, type CodeName } from "./errors.js";
import { joined } from "./parts.js";

/** How messages are written. */
export type Form = "proto" | "json";

/** What is sent to a unary RPC, and what to one that answers with a stream. */
export const UNARY_TYPE: Readonly<Record<Form, string>> = {
  proto: "application/proto",
  json: "application/json",
};
export const STREAM_TYPE: Readonly<Record<Form, string>> = {
  proto: "application/connect+proto",
  json: "application/connect+json",
};

/** Headers of a request: the version of the protocol, which is 1, and how long the caller waits, in milliseconds. */
export const VERSION_HEADER = "connect-protocol-version";
export const TIMEOUT_HEADER = "connect-timeout-ms";

/** A flag of the last envelope, whose bytes are JSON: `{}`, or why the stream has ended, as `error`. */
export const LAST = 0b10;
/** A flag of bytes that are compressed. */
export const COMPRESSED = 0b01;

/** The flags, and the length of what follows. */
const HEAD_BYTES = 5;

/** Bytes in an envelope. */
export function enveloped(flags: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(HEAD_BYTES + bytes.length);
  all[0] = flags;
  new DataView(all.buffer).setUint32(1, bytes.length);
  all.set(bytes, HEAD_BYTES);
  return all;
}

/** What was in an envelope. */
export interface Letter {
  readonly flags: number;
  readonly bytes: Uint8Array;
}

/** Takes envelopes apart, however the bytes of a stream come. */
export class Envelopes {
  readonly #maxBytes: number;
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** So many bytes have to be there before there is something to take. */
  #needed = HEAD_BYTES;

  /** @param maxBytes what one envelope may have */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** True if no envelope has been begun. */
  get isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What is whole now. A number: so many bytes stand on an envelope, which is more than it may have. */
  add(bytes: Uint8Array): Letter[] | number {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    if (this.#length < this.#needed) return [];
    const all = this.#pieces.length === 1 ? bytes : joined(this.#pieces, this.#length);
    const view = new DataView(all.buffer, all.byteOffset, all.length);
    const letters: Letter[] = [];
    let at = 0;
    this.#needed = HEAD_BYTES;
    while (all.length - at >= HEAD_BYTES) {
      const length = view.getUint32(at + 1);
      if (length > this.#maxBytes) return length;
      const end = at + HEAD_BYTES + length;
      if (end > all.length) {
        this.#needed = end - at;
        break;
      }
      letters.push({ flags: view.getUint8(at), bytes: all.subarray(at + HEAD_BYTES, end) });
      at = end;
    }
    this.#length = all.length - at;
    this.#pieces = this.isEmpty ? [] : [all.subarray(at)];
    return letters;
  }
}

/** How an answer says that it is none. `details` carry the detail of a refusal, if a bridge has said so. */
export interface ConnectError {
  readonly code?: string;
  readonly message?: string;
  readonly details?: readonly { readonly type?: string; readonly value?: string; readonly debug?: unknown }[];
}

/** A code as Connect writes it. */
export function wordOf(code: CodeName): string {
  // The one word that is spelt otherwise there.
  return code === "CANCELLED" ? "canceled" : code.toLowerCase();
}

const BY_WORD: ReadonlyMap<string, number> = new Map(
  Object.entries(CODES).map(([name, code]) => [wordOf(name as CodeName), code]),
);

/** The number of a code that is written as a word; undefined: there is none. */
export function codeOfWord(word: string | undefined): number | undefined {
  return word === undefined ? undefined : BY_WORD.get(word);
}

/** What an HTTP status means without a word of the bridge: it is from something in between, or from no bridge. */
export function codeOfHttp(status: number): number {
  switch (status) {
    case 400:
      return CODES.INTERNAL;
    case 401:
      return CODES.UNAUTHENTICATED;
    case 403:
      return CODES.PERMISSION_DENIED;
    case 404:
      return CODES.UNIMPLEMENTED;
    case 429:
    case 502:
    case 503:
    case 504:
      return CODES.UNAVAILABLE;
    default:
      return CODES.UNKNOWN;
  }
}
