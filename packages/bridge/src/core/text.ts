/** Text measured and ordered the way other languages do it: by UTF-8 bytes and by code points, not by UTF-16 units. */

const encoder = new TextEncoder();

/** How many bytes the text takes in UTF-8. */
export function utf8Length(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    // A surrogate pair is two units and four bytes, so each half counts one byte beside its unit.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit <= 0xdfff) ? 1 : 2;
  }
  return bytes;
}

/** How many code points the text has: what Python's `len` says. */
export function codePointLength(text: string): number {
  let points = text.length;
  for (let i = 0; i < text.length - 1; i++) {
    if ((text.charCodeAt(i) & 0xfc00) === 0xd800 && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) points--;
  }
  return points;
}

/** Orders texts by their UTF-8 bytes, which is the order of their code points. */
export function compareUtf8(a: string, b: string): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** UTF-16 puts surrogates (code points above U+FFFF) before U+E000; this puts them last, where UTF-8 has them. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit >= 0xe000 ? unit - 0x800 : unit + 0x2000;
}

/** The beginning of a text, and `…` if that is not all of it. No character is halved. */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = (text.charCodeAt(length - 1) & 0xfc00) === 0xd800 ? length - 1 : length;
  return `${text.slice(0, end)}…`;
}

const LONE_SURROGATE = /\p{Surrogate}/u;

/** True if the text has no lone surrogate, so that it can be written in UTF-8 without loss. */
export function isWellFormed(text: string): boolean {
  return !LONE_SURROGATE.test(text);
}

/** The UTF-8 bytes of well-formed text. */
export function toUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** A number in the form that all error texts use: ECMAScript's shortest decimal, with the sign of −0 kept (VAL-2). */
export function formatNumber(value: number | bigint): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
