/**
 * Names, metadata, values and constraints as the rules tell them: plain, slow and obvious. This is the yardstick of the
 * model test, so it shares nothing with the implementation but the types of commands.
 */
import type { GivenConstraint } from "../../packages/bridge/src/core/constraints.js";
import type { KnownLiteral, Literal, Stored } from "../../packages/bridge/src/core/literal.js";
import type { Reason } from "../../packages/bridge/src/core/refusal.js";
import { asJson } from "./json-rules.js";

/** What the model says of a refusal. A field that is absent is one that the rules leave open. */
export interface Refused {
  /** The reasons that the rules allow here; nearly always one. */
  readonly reasons: readonly Reason[];
  /** The exact message. */
  readonly message?: string;
  /** What the message has to contain. */
  readonly says?: readonly string[];
  readonly identifier?: string;
  readonly field?: string;
  /** The key of the constraint at fault. */
  readonly constraint?: string;
  readonly typeMismatch?: { readonly expected: string; readonly actual: string };
  readonly versionConflict?: { readonly expected: number; readonly current: number };
  readonly limit?: { readonly setting: string; readonly limit: number };
  readonly items?: readonly {
    readonly index: number;
    readonly identifier: string;
    readonly refused: Refused;
  }[];
}

export type Pair = readonly [string, string];
export const TYPE_WORDS = ["float", "integer", "string", "boolean", "choice", "json"] as const;
export type TypeWord = (typeof TYPE_WORDS)[number];
/** A constraint that was found good: its key and its operands, in the arm they are kept in. */
export interface Limit {
  readonly key: string;
  readonly operands: readonly KnownLiteral[];
}

/** The literal in which a value of the type is kept and told. */
export function keptIn(type: TypeWord, value: Stored): KnownLiteral {
  return { kind: type === "choice" ? "string" : type, value } as KnownLiteral;
}

export function refused(reason: Reason, more: Omit<Refused, "reasons"> = {}): Refused {
  return { reasons: [reason], ...more };
}

export function isRefused(x: unknown): x is Refused {
  return typeof x === "object" && x !== null && "reasons" in x;
}

export const byUtf8 = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
export const bytesOf = (text: string): number => Buffer.byteLength(text, "utf8");
export const codePointsOf = (text: string): number[] => [...text].map((c) => c.codePointAt(0) as number);
export const hasLoneSurrogate = (text: string): boolean =>
  codePointsOf(text).some((point) => point >= 0xd800 && point <= 0xdfff);

export function say(value: Stored): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

// ── names (VAL-8) ────────────────────────────────────────────────────────────────────────────────────────────────────

const WHITE_SPACE = new Set(
  [
    0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x20, 0x85, 0xa0, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005,
    0x2006, 0x2007, 0x2008, 0x2009, 0x200a, 0x2028, 0x2029, 0x202f, 0x205f, 0x3000,
  ].map(Number),
);

function isControl(point: number): boolean {
  return point <= 0x1f || (point >= 0x7f && point <= 0x9f);
}

export function hasIdForm(text: string): boolean {
  if (!text.startsWith("var_")) return false;
  let end = text.length;
  while (end > 0 && "0123456789".includes(text.charAt(end - 1))) end--;
  const digits = text.length - end;
  return digits >= 1 && end - 1 >= 5 && text.charAt(end - 1) === "_";
}

/** True for what may be a session id, and, if it has not the form of an id, the name of a variable. */
export function isGoodName(name: string): boolean {
  if (hasLoneSurrogate(name)) return false;
  if (bytesOf(name) < 1 || bytesOf(name) > 256) return false;
  if (name === "__proto__") return false;
  const points = codePointsOf(name);
  if (points.some((point) => isControl(point) || [0x2028, 0x2029, 0xfeff].includes(point))) return false;
  return !WHITE_SPACE.has(points[0] as number) && !WHITE_SPACE.has(points[points.length - 1] as number);
}

export function isGoodVariableName(name: string): boolean {
  return isGoodName(name) && !hasIdForm(name);
}

// ── request fields (VAL-16, ORD-15) ──────────────────────────────────────────────────────────────────────────────────

export function isGoodSource(source: string): boolean {
  return (
    source.length >= 1 &&
    source.length <= 32 &&
    [...source].every((c) => "abcdefghijklmnopqrstuvwxyz0123456789-_".includes(c))
  );
}

export function isGoodRequestId(id: { clientId: string; sequence: number }): boolean {
  const bytes = id.clientId.length === 32 && [...id.clientId].every((c) => "0123456789abcdef".includes(c));
  return bytes && Number.isSafeInteger(id.sequence) && id.sequence >= 1;
}

export function goodMetadata(given: Iterable<Pair>): Pair[] | Refused {
  const pairs = [...given];
  const keys = pairs.map(([key]) => key);
  const total = pairs.reduce((sum, [key, value]) => sum + bytesOf(key) + bytesOf(value), 0);
  const bad =
    pairs.length > 32 ||
    total > 4096 ||
    new Set(keys).size < keys.length ||
    keys.some((key) => bytesOf(key) < 1 || bytesOf(key) > 256) ||
    keys.some((key) => ["__proto__", "source", "created_at", "updated_at"].includes(key)) ||
    pairs.some(([key, value]) => hasLoneSurrogate(key) || hasLoneSurrogate(value));
  if (bad) return refused("INVALID_METADATA");
  return pairs.map(([key, value]): Pair => [key, value]).sort(([a], [b]) => byUtf8(a, b));
}

// ── values (VAL-2, VAL-3) ────────────────────────────────────────────────────────────────────────────────────────────

export function isTypeWord(type: string): type is TypeWord {
  return (TYPE_WORDS as readonly string[]).includes(type);
}

/** The type of a variable that this value creates; undefined for what is no value, and for JSON, which creates none. */
export function inferredType(value: Literal): TypeWord | undefined {
  if (value.kind === "unknown" || value.kind === "json") return undefined;
  return value.kind === "number" ? "float" : value.kind;
}

export function isExactAsFloat(value: bigint): boolean {
  return BigInt(Number(value)) === value;
}

function isWholeAndSafe(value: number): boolean {
  return Number.isInteger(value) && Math.abs(value) <= 2 ** 53 - 1;
}

/** The value as a variable of the type keeps it, or why the claim does not fit. */
export function claim(type: TypeWord, value: Literal): Stored | Refused {
  if (value.kind === "unknown") return refused("INVALID_VALUE");
  if (type !== "json" && value.kind === "json" && value.value.trim() === "null") {
    const advice = "a variable always has a value, so delete it if it has none any more";
    return refused("INVALID_VALUE", { message: `null is no ${type}; ${advice}` });
  }
  const mismatch = (message: string): Refused =>
    refused("TYPE_MISMATCH", { message, typeMismatch: { expected: type, actual: value.kind } });
  switch (type) {
    case "float":
      if (value.kind === "float" || value.kind === "number") return value.value;
      if (value.kind !== "integer") return mismatch("must be a number");
      return isExactAsFloat(value.value)
        ? Number(value.value)
        : mismatch(`integer ${value.value} is not exact as a float`);
    case "integer":
      if (value.kind === "integer") return value.value;
      return value.kind === "number" && isWholeAndSafe(value.value)
        ? BigInt(value.value)
        : mismatch("must be an integer");
    case "string":
    case "choice":
      return value.kind === "string" ? value.value : mismatch("must be a string");
    case "boolean":
      return value.kind === "boolean" ? value.value : mismatch("must be a boolean");
    case "json":
      return asJson(value);
  }
}

/** True if this value turns a provisional integer into a float (VAL-4). */
export function widens(value: Literal): boolean {
  return value.kind === "float" || (value.kind === "number" && !isWholeAndSafe(value.value));
}

/** What makes a value impossible whatever the constraints are: broken text, and its size (VAL-20). */
export function sizeFault(value: Stored, maxBytes: number): Refused | undefined {
  if (typeof value !== "string") return undefined;
  if (hasLoneSurrogate(value)) return refused("INVALID_VALUE");
  if (bytesOf(value) <= maxBytes) return undefined;
  return refused("TOO_LARGE", { limit: { setting: "max-value-bytes", limit: maxBytes } });
}

// ── constraints (VAL-6, VAL-7) ───────────────────────────────────────────────────────────────────────────────────────

/** The patterns that the test uses. What they mean is written out by hand, so no second engine is involved. */
export interface KnownPattern {
  readonly matches: (text: string) => boolean;
  /** True if its program is so large that a text of 3,000 characters is beyond the bound. */
  readonly large?: boolean;
}

export const PATTERNS: ReadonlyMap<string, KnownPattern> = new Map<string, KnownPattern>([
  ["", { matches: () => true }],
  ["^a", { matches: (text) => text.startsWith("a") }],
  ["b$", { matches: (text) => text.endsWith("b") }],
  ["^.$", { matches: (text) => [...text].length === 1 && text !== "\n" }],
  ["[0-9]", { matches: (text) => [...text].some((c) => c >= "0" && c <= "9") }],
  ["(a+)+$", { matches: (text) => text.endsWith("a") }],
  ["(?i)ABC", { matches: (text) => text.toLowerCase().includes("abc") }],
  ["(x{100}){9}", { matches: (text) => text.includes("x".repeat(900)), large: true }],
]);

/** Patterns that are no patterns here: look-around, back-references, possessive quantifiers, too long, broken. */
export const BAD_PATTERNS: readonly string[] = [
  "(?=a)",
  "(?<!a)b",
  "(a)\\1",
  "a++",
  "a{1001}",
  "((a{100}){100}){100}",
  "(",
  "[",
  "*",
  "a".repeat(1001),
];

/** What a pattern means; undefined if it is none. Beside the known ones plain text is understood: it means itself. */
function patternOf(source: string): KnownPattern | undefined {
  const known = PATTERNS.get(source);
  if (known !== undefined) return known;
  const points = [...source];
  const plain =
    !hasLoneSurrogate(source) && points.length <= 1_000 && !points.some((c) => "\\.+*?()|[]{}^$".includes(c));
  return plain ? { matches: (text) => text.includes(source), large: points.length > 300 } : undefined;
}

const MAX_LENGTH = 1_048_576;

/** The operands of a constraint as they are kept; undefined if they have no meaning. */
function operandsOf(type: TypeWord, key: string, values: readonly Literal[]): KnownLiteral[] | undefined {
  if (type === "choice" && key === "choices") {
    const texts = values.flatMap((one) => (one.kind === "string" ? [one] : []));
    const good =
      texts.length === values.length &&
      texts.length >= 1 &&
      texts.length <= 1_000 &&
      new Set(texts.map(({ value }) => value)).size === texts.length &&
      texts.every(({ value }) => !hasLoneSurrogate(value)) &&
      texts.reduce((sum, { value }) => sum + bytesOf(value), 0) <= 65_536;
    return good ? texts : undefined;
  }
  const [first] = values;
  const operand = first === undefined || values.length > 1 ? undefined : operandOf(type, key, first);
  return operand && [operand];
}

function operandOf(type: TypeWord, key: string, value: Literal): KnownLiteral | undefined {
  if (type === "float" && (key === "min" || key === "max")) {
    const bound = claim("float", value);
    return typeof bound === "number" && !Number.isNaN(bound) ? { kind: "float", value: bound } : undefined;
  }
  if (type === "integer" && ["min", "max", "step"].includes(key)) {
    const bound = claim("integer", value);
    if (typeof bound !== "bigint") return undefined;
    return key === "step" && bound < 1n ? undefined : { kind: "integer", value: bound };
  }
  if (type === "string" && (key === "min_length" || key === "max_length")) {
    const length = claim("integer", value);
    return typeof length === "bigint" && length >= 0n && length <= MAX_LENGTH
      ? { kind: "integer", value: length }
      : undefined;
  }
  if (type === "string" && key === "pattern") {
    return value.kind === "string" && !hasLoneSurrogate(value.value) ? value : undefined;
  }
  return undefined;
}

/** The constraints of a definition, ordered by key; or the first that is at fault (VAL-2). */
export function goodConstraints(type: TypeWord, given: readonly GivenConstraint[]): Limit[] | Refused {
  const bad = (key: string): Refused => refused("INVALID_CONSTRAINT", { constraint: key });
  const good: Limit[] = [];
  for (const { key, values } of [...given].sort((a, b) => byUtf8(a.key, b.key))) {
    const operands = operandsOf(type, key, values);
    if (operands === undefined || limitOf(good, key) !== undefined) return bad(key);
    good.push({ key, operands });
  }
  if (type === "choice" && limitOf(good, "choices") === undefined) return bad("choices");
  for (const [low, high] of [
    ["min", "max"],
    ["min_length", "max_length"],
  ] as const) {
    const least = numberOf(good, low);
    const most = numberOf(good, high);
    if (least !== undefined && most !== undefined && least > most) return bad(low);
  }
  const pattern = limitOf(good, "pattern");
  if (pattern === undefined) return good;
  const known = patternOf(String(pattern));
  const longest = numberOf(good, "max_length") ?? 0n;
  return known === undefined || longest > (known.large ? 3_000n : 1_000_000n) ? bad("pattern") : good;
}

function limitOf(limits: readonly Limit[], key: string): Stored | undefined {
  return limits.find((limit) => limit.key === key)?.operands[0]?.value;
}

function numberOf(limits: readonly Limit[], key: string): number | bigint | undefined {
  const value = limitOf(limits, key);
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

/** The first constraint that a value of the right type breaks, with the exact text (VAL-2). */
export function breach(limits: readonly Limit[], value: Stored): Refused | undefined {
  const broken = (key: string, message: string): Refused =>
    refused("CONSTRAINT_VIOLATED", { constraint: key, message });
  if (typeof value === "number" || typeof value === "bigint") {
    const min = numberOf(limits, "min");
    const max = numberOf(limits, "max");
    const step = numberOf(limits, "step");
    if (min !== undefined && !(value >= min))
      return broken("min", `value ${say(value)} is below minimum ${say(min)}`);
    if (max !== undefined && !(value <= max))
      return broken("max", `value ${say(value)} is above maximum ${say(max)}`);
    if (step !== undefined && typeof value === "bigint") {
      const from = (min ?? 0n) as bigint;
      if ((value - from) % (step as bigint) !== 0n)
        return broken("step", `value ${value} is not a multiple of step ${step} from minimum ${from}`);
    }
    return undefined;
  }
  if (typeof value === "boolean") return undefined;
  const choices = limits.find(({ key }) => key === "choices")?.operands.map((one) => String(one.value));
  if (choices !== undefined && !choices.includes(value)) {
    // Long and strange text may be shown shortened and escaped.
    const plain = [value, ...choices].every((text) => /^[a-z0-9]{0,40}$/.test(text)) && choices.length <= 10;
    const list = choices.map((text) => `"${text}"`).join(", ");
    if (plain) return broken("choices", `value "${value}" is not one of ${list}`);
    return refused("CONSTRAINT_VIOLATED", { constraint: "choices" });
  }
  const length = BigInt([...value].length);
  const least = numberOf(limits, "min_length");
  const most = numberOf(limits, "max_length");
  const pattern = limitOf(limits, "pattern");
  if (least !== undefined && length < least)
    return broken("min_length", `string length ${length} is below minimum ${least}`);
  if (most !== undefined && length > most)
    return broken("max_length", `string length ${length} is above maximum ${most}`);
  if (pattern === undefined) return undefined;
  const known = patternOf(String(pattern)) as KnownPattern;
  if (known.large && length > 3_000n)
    return refused("CONSTRAINT_VIOLATED", { constraint: "pattern", says: [String(length)] });
  return known.matches(value) ? undefined : broken("pattern", `value does not match pattern ${pattern}`);
}

// ── globs (VAL-9) ────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether a whole name matches, by trying everything; undefined if the glob has no meaning. */
export function globMatches(glob: string, name: string): boolean | undefined {
  const tokens: ("any" | "one" | { literal: string })[] = [];
  const points = [...glob];
  if (points.length > 1_024) return undefined;
  for (let i = 0; i < points.length; i++) {
    const point = points[i] as string;
    if (point === "*") tokens.push("any");
    else if (point === "?") tokens.push("one");
    else if (point !== "\\") tokens.push({ literal: point });
    else if (i + 1 < points.length) tokens.push({ literal: points[++i] as string });
    else return undefined;
  }
  const text = [...name];
  const matches = (t: number, n: number): boolean => {
    const token = tokens[t];
    if (token === undefined) return n === text.length;
    if (token === "any") return matches(t + 1, n) || (n < text.length && matches(t, n + 1));
    return n < text.length && (token === "one" || token.literal === text[n]) && matches(t + 1, n + 1);
  };
  return matches(0, 0);
}
