/**
 * Texts of JSON: which of them are I-JSON (RFC 7493), and how numbers are written in them.
 *
 * `JSON.parse` would not do as the judge: it takes a key that stands twice and forgets one of its values, takes lone
 * surrogates, rounds integers, and takes 1e400 for Infinity. The scanner goes over the text once and keeps a stack of its
 * own, so its time is linear and no depth can overflow anything. It makes no values.
 */
import { quoteName } from "./names.js";
import { codePointLength } from "./text.js";

/** How many arrays and objects may stand within each other. */
export const MAX_JSON_DEPTH = 64;

/** What is wrong with a text, as a sentence; undefined if it is I-JSON. */
export function jsonFault(text: string): string | undefined {
  const scanner = new Scanner(text);
  const problem = scanner.scan();
  if (problem === undefined) return undefined;
  return `not I-JSON at character ${codePointLength(text.slice(0, scanner.at))}: ${problem}`;
}

/**
 * A number of JavaScript as JSON. A whole one beyond 2^53 − 1 is written as the double it is, so that no reader takes it
 * for an exact integer; the sign of a zero is kept. What JSON has no number for comes out as its name.
 */
export function jsonNumber(value: number): string {
  if (Object.is(value, -0)) return "-0.0";
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? value.toExponential() : String(value);
}

/** A float as JSON: with a fraction or an exponent, so that it is read as a float where that is a type of its own. */
export function jsonFloat(value: number): string {
  const text = jsonNumber(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const ARRAY_END = 0x5d;
const OBJECT = 0x7b;
const OBJECT_END = 0x7d;

/** How much of a number a text about it shows. */
const SHOWN = 40;
const WORDS = /true|false|null/y;
const UNUSUAL = /-?(?:NaN|Infinity)/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u([0-9a-fA-F]{4}))/y;

/** Each method reads on from `at`, and answers what is wrong there, if anything is. */
class Scanner {
  /** Where it is, in UTF-16 units; after a problem, where that is. */
  at = 0;
  readonly #text: string;
  /** What is open here, the outermost first: of an object the keys so far, of an array nothing. */
  readonly #open: (Set<string> | undefined)[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  scan(): string | undefined {
    do {
      const problem = this.#begin() ?? this.#end();
      if (problem !== undefined) return problem;
    } while (this.#open.length > 0);
    this.#skipSpace();
    return this.at === this.#text.length ? undefined : this.#unexpected();
  }

  /** Reads up to the end of the next value that holds no other: opens what it stands in, and no further. */
  #begin(): string | undefined {
    for (;;) {
      this.#skipSpace();
      const unit = this.#unit();
      if (unit !== OBJECT && unit !== ARRAY) return this.#scalar(unit);
      if (this.#open.length === MAX_JSON_DEPTH) return `nested deeper than ${MAX_JSON_DEPTH}`;
      this.at++;
      const keys = unit === OBJECT ? new Set<string>() : undefined;
      this.#open.push(keys);
      this.#skipSpace();
      if (this.#unit() === (keys === undefined ? ARRAY_END : OBJECT_END)) return undefined;
      const problem = keys && this.#key(keys);
      if (problem !== undefined) return problem;
    }
  }

  /** After a value: closes what ends there, and reads up to the next value. */
  #end(): string | undefined {
    while (this.#open.length > 0) {
      const keys = this.#open.at(-1);
      this.#skipSpace();
      const unit = this.#unit();
      if (unit === COMMA) {
        this.at++;
        return keys && this.#key(keys);
      }
      if (unit !== (keys === undefined ? ARRAY_END : OBJECT_END)) return this.#unexpected();
      this.at++;
      this.#open.pop();
    }
    return undefined;
  }

  /** A key and its colon. Keys are the same if they are so once their escapes are read. */
  #key(keys: Set<string>): string | undefined {
    this.#skipSpace();
    if (this.#unit() !== QUOTE) return this.#unexpected();
    const start = this.at;
    const problem = this.#string();
    if (problem !== undefined) return problem;
    const quoted = this.#text.slice(start, this.at);
    const key = quoted.includes("\\") ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
    if (keys.has(key)) return this.#problemAt(start, `the key ${quoteName(key)} stands twice in its object`);
    keys.add(key);
    this.#skipSpace();
    if (this.#unit() !== COLON) return this.#unexpected();
    this.at++;
    return undefined;
  }

  #scalar(unit: number): string | undefined {
    if (unit === QUOTE) return this.#string();
    if (isDigit(unit) || (unit === MINUS && isDigit(this.#text.charCodeAt(this.at + 1))))
      return this.#number();
    if (this.#take(WORDS) !== undefined) return undefined;
    const [unusual] = this.#match(UNUSUAL) ?? [];
    return unusual === undefined ? this.#unexpected() : `JSON has no number ${unusual}`;
  }

  #number(): string | undefined {
    const start = this.at;
    if (this.#unit() === MINUS) this.at++;
    const digits = this.at;
    if (this.#unit() === ZERO) this.at++;
    else this.#skipDigits();
    const end = this.at;
    if (this.#unit() === DOT) {
      this.at++;
      if (!this.#skipDigits()) return this.#unexpected();
    }
    // Of upper and lower case: E and e.
    if ((this.#unit() | 0x20) === 0x65) {
      this.at++;
      const sign = this.#unit();
      if (sign === MINUS || sign === 0x2b) this.at++;
      if (!this.#skipDigits()) return this.#unexpected();
    }
    const number = this.#text.slice(start, this.at);
    const shown = number.length > SHOWN ? `${number.slice(0, SHOWN)}…` : number;
    if (this.at === end) {
      // One of more digits is not looked at: it may have a million.
      if (end - digits <= 16 && Number.isSafeInteger(Number(number))) return undefined;
      return this.#problemAt(start, `integer ${shown} is beyond 2^53 − 1`);
    }
    return Number.isFinite(Number(number))
      ? undefined
      : this.#problemAt(start, `number ${shown} is beyond what a double holds`);
  }

  #string(): string | undefined {
    this.at++;
    for (;;) {
      const unit = this.#unit();
      if (unit === QUOTE) {
        this.at++;
        return undefined;
      }
      if (unit !== BACKSLASH && unit >= 0x20 && unit < 0xd800) {
        this.at++;
        continue;
      }
      const problem = this.#unusual(unit);
      if (problem !== undefined) return problem;
    }
  }

  /** A character of a string that needs a closer look: an escape, the end, or one that may not stand there. */
  #unusual(unit: number): string | undefined {
    if (unit === BACKSLASH) return this.#escape();
    if (unit < 0x20) return `the control character ${codePointName(unit)} is not escaped`;
    // A surrogate pair is one code point; a lone surrogate is one too here.
    const point = this.#text.codePointAt(this.at);
    if (point === undefined) return this.#unexpected();
    const problem = pointFault(point);
    if (problem === undefined) this.at += point > 0xffff ? 2 : 1;
    return problem;
  }

  #escape(): string | undefined {
    const [found, hex] = this.#match(ESCAPE) ?? [];
    if (found === undefined) {
      this.at++;
      return this.#unexpected();
    }
    const end = this.at + found.length;
    if (hex === undefined) {
      this.at = end;
      return undefined;
    }
    const low = this.#match(ESCAPE, end)?.[1];
    // Read as text, the two halves of a pair are one code point, and anything else is not.
    const point = fromUnits(hex, low).codePointAt(0) ?? 0;
    const problem = pointFault(point);
    if (problem === undefined) this.at = point > 0xffff ? end + found.length : end;
    return problem;
  }

  #unit(): number {
    return this.#text.charCodeAt(this.at);
  }

  #skipSpace(): void {
    for (;;) {
      const unit = this.#unit();
      if (unit !== 0x20 && unit !== 0x0a && unit !== 0x0d && unit !== 0x09) return;
      this.at++;
    }
  }

  /** Answers whether there were any. */
  #skipDigits(): boolean {
    const start = this.at;
    while (isDigit(this.#unit())) this.at++;
    return this.at > start;
  }

  #match(pattern: RegExp, at = this.at): RegExpExecArray | null {
    pattern.lastIndex = at;
    return pattern.exec(this.#text);
  }

  #take(pattern: RegExp): string | undefined {
    const [found] = this.#match(pattern) ?? [];
    this.at += found?.length ?? 0;
    return found;
  }

  #problemAt(place: number, problem: string): string {
    this.at = place;
    return problem;
  }

  #unexpected(): string {
    const point = this.#text.codePointAt(this.at);
    return point === undefined
      ? "the text ends too early"
      : `unexpected ${quoteName(String.fromCodePoint(point))}`;
  }
}

function isDigit(unit: number): boolean {
  return unit >= ZERO && unit <= NINE;
}

function fromUnits(...hex: (string | undefined)[]): string {
  return String.fromCharCode(...hex.map((digits) => Number.parseInt(digits ?? "0", 16)));
}

/** Why a code point may not stand in a text of I-JSON. */
function pointFault(point: number): string | undefined {
  if (point >= 0xd800 && point <= 0xdfff) return `${codePointName(point)} is half of a surrogate pair`;
  const isNoncharacter = (point & 0xfffe) === 0xfffe || (point >= 0xfdd0 && point <= 0xfdef);
  return isNoncharacter ? `${codePointName(point)} is a noncharacter` : undefined;
}

function codePointName(point: number): string {
  return `U+${point.toString(16).toUpperCase().padStart(4, "0")}`;
}
