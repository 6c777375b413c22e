/** Python source text: literals, and brackets laid out on one line or on several. */

const WIDTH = 88;
const INDENT = "    ";
/** What no line shows as it is: control and format characters, and every space but the one. */
const INVISIBLE = /[\p{C}\p{Z}]/gu;

/** A text as a literal. */
export function stringLiteral(text: string): string {
  const quote = count(text, '"') > count(text, "'") ? "'" : '"';
  return quote + escaped(text).replaceAll(quote, `\\${quote}`) + quote;
}

/** A number as the literal of a float. */
export function floatLiteral(value: number): string {
  if (!Number.isFinite(value)) return `float(${stringLiteral(String(value).replace("Infinity", "inf"))})`;
  const text = Object.is(value, -0) ? "-0" : String(value).replace("e+", "e");
  return /[.e]/.test(text) ? text : `${text}.0`;
}

/** A text as a docstring, each of its lines indented. */
export function docstring(text: string, indent = INDENT): string {
  const lines = text.trim().split(/\s*[\r\n\u2028\u2029]\s*/u);
  const body = lines
    .map(escaped)
    .join(`\n${indent}`)
    // Three quotes would end it, and one at the end would be taken for the first of them.
    .replaceAll(/"(?=")/g, '\\"');
  return lines.length === 1
    ? `${indent}"""${body.replace(/"$/, '\\"')}"""\n`
    : `${indent}"""${body}\n${indent}"""\n`;
}

/** A bracket and what stands in it: on one line if it fits behind `before`, else each item on its own. */
export function bracketed(before: string, items: readonly string[], after: string, indent = ""): string {
  const line = `${indent}${before}${items.join(", ")}${after}`;
  if (line.length <= WIDTH && !line.includes("\n")) return `${line}\n`;
  const inside = items.map((item) => `${indent}${INDENT}${item},\n`).join("");
  return `${indent}${before}\n${inside}${indent}${after}\n`;
}

function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t")
    .replaceAll(INVISIBLE, (char) => (char === " " ? char : escapeOf(char.codePointAt(0) ?? 0)));
}

function escapeOf(point: number): string {
  const [letter, digits] = point > 0xffff ? ["U", 8] : point > 0xff ? ["u", 4] : ["x", 2];
  return `\\${letter}${point.toString(16).padStart(Number(digits), "0")}`;
}

function count(text: string, char: string): number {
  return text.split(char).length - 1;
}
