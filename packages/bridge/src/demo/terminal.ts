/**
 * The screen: lines that scroll and, where the terminal can move its cursor, one block below them that is drawn again
 * and again. Elsewhere (a file, a pipe, CI) there are only the lines.
 */
import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

export class Terminal {
  /** True if the block is shown. */
  readonly live: boolean;
  readonly #stream: NodeJS.WriteStream;
  readonly #colours: boolean;
  #block: readonly string[] = [];
  #drawn = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    const capable = Boolean(stream.isTTY) && process.env["TERM"] !== "dumb";
    this.live = capable && !process.env["CI"];
    this.#colours = capable && !process.env["NO_COLOR"];
  }

  /** The text in a style, if there are colours. */
  style(style: Style, text: string): string {
    return this.#colours ? styleText(style, text, { validateStream: false }) : text;
  }

  /** Prints a line that stays. */
  line(text = ""): void {
    this.#stream.write(`${this.#erasing()}${text}\n${this.#drawing()}`);
  }

  /** Replaces the block. */
  block(lines: readonly string[]): void {
    if (!this.live) return;
    const erasing = this.#erasing();
    this.#block = lines;
    this.#stream.write(erasing + this.#drawing());
  }

  #erasing(): string {
    const { length } = this.#block.slice(0, this.#drawn);
    this.#drawn = 0;
    return length === 0 ? "" : `\x1b[${length}A\r\x1b[J`;
  }

  /** As many lines as fit, each cut to the width: a line that wraps would be counted wrong when it is erased. */
  #drawing(): string {
    const { columns = 80, rows = 24 } = this.#stream;
    const lines = this.#block.slice(0, Math.max(0, rows - 2));
    this.#drawn = lines.length;
    return lines.map((line) => `${fit(line, columns - 1)}\n`).join("");
  }
}

function fit(line: string, width: number): string {
  const plain = stripVTControlCharacters(line);
  return plain.length <= width ? line : `${plain.slice(0, width - 1)}…`;
}

/** The time of day with milliseconds. */
export function timeOfDay(at: Date): string {
  const digits = (value: number, length = 2): string => String(value).padStart(length, "0");
  const [hours, minutes, seconds] = [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) =>
    digits(part),
  );
  return `${hours}:${minutes}:${seconds}.${digits(at.getMilliseconds(), 3)}`;
}

/** A number as short as it is readable. */
export function short(value: unknown): string {
  if (typeof value !== "number" || Number.isInteger(value)) return String(value);
  return Math.abs(value) < 0.0001 ? value.toExponential(1) : String(Number(value.toPrecision(4)));
}
