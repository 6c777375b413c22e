/**
 * The commit check (ORD-4): 64 bits over a commit's record, which begins with the check of the commit before it. So equal
 * checks mean equal histories, and a damaged record shows.
 *
 * The function is MurmurHash3 (x86, 128 bit, seed 0; Austin Appleby, public domain), its first 64 bits: it needs only
 * 32-bit multiplication, which JavaScript has. It guards against accidents, not against a forger.
 */

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** The check of a record. */
export function commitCheck(record: Uint8Array): bigint {
  const length = record.length;
  const view = new DataView(record.buffer, record.byteOffset, length);
  let h1 = 0;
  let h2 = 0;
  let h3 = 0;
  let h4 = 0;
  let i = 0;
  for (; i + 16 <= length; i += 16) {
    h1 ^= scramble(view.getUint32(i, true), C1, 15, C2);
    h1 = (Math.imul(rotate(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(view.getUint32(i + 4, true), C2, 16, C3);
    h2 = (Math.imul(rotate(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(view.getUint32(i + 8, true), C3, 17, C4);
    h3 = (Math.imul(rotate(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(view.getUint32(i + 12, true), C4, 18, C1);
    h4 = (Math.imul(rotate(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h4 ^= scramble(tailWord(record, i + 12), C4, 18, C1);
  h3 ^= scramble(tailWord(record, i + 8), C3, 17, C4);
  h2 ^= scramble(tailWord(record, i + 4), C2, 16, C3);
  h1 ^= scramble(tailWord(record, i), C1, 15, C2);
  h1 ^= length;
  h2 ^= length;
  h3 ^= length;
  h4 ^= length;
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  h3 = (h3 + h1) | 0;
  h4 = (h4 + h1) | 0;
  h1 = avalanche(h1);
  h2 = avalanche(h2);
  h3 = avalanche(h3);
  h4 = avalanche(h4);
  h1 = (h1 + h2 + h3 + h4) | 0;
  h2 = (h2 + h1) | 0;
  return (BigInt(h2 >>> 0) << 32n) | BigInt(h1 >>> 0);
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function scramble(word: number, first: number, bits: number, second: number): number {
  return Math.imul(rotate(Math.imul(word, first), bits), second);
}

/** The up to four bytes from `start` as a little-endian number; 0 past the end. */
function tailWord(bytes: Uint8Array, start: number): number {
  let word = 0;
  for (let i = Math.min(start + 4, bytes.length) - 1; i >= start; i--)
    word = (word << 8) | (bytes[i] as number);
  return word;
}

function avalanche(hash: number): number {
  let h = hash ^ (hash >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
