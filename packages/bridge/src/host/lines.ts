/** Cuts what a process prints into lines, in bounded memory: of a line that does not end, only the beginning is kept. */

/** The most characters of a line that are kept. */
export const MAX_LINE_LENGTH = 8_192;

/** A line, without its end. */
export interface Line {
  readonly text: string;
  /** Whether there was more of it. */
  readonly cut: boolean;
}

/** Lines end with `\n`, `\r\n` or, as those of progress bars do, `\r`. */
const END = /\r\n|[\r\n]/g;

export class LineCutter {
  readonly #tell: (line: Line) => void;
  #text = "";
  #cut = false;
  /** Whether the last character was a `\r`, of which a `\n` may be the second half. */
  #returned = false;

  constructor(tell: (line: Line) => void) {
    this.#tell = tell;
  }

  /** Takes the next piece of what is printed. */
  push(piece: string): void {
    let start = this.#returned && piece.startsWith("\n") ? 1 : 0;
    if (piece !== "") this.#returned = piece.endsWith("\r");
    END.lastIndex = start;
    for (let end = END.exec(piece); end !== null; end = END.exec(piece)) {
      this.#add(piece, start, end.index);
      this.#flush();
      start = END.lastIndex;
    }
    this.#add(piece, start, piece.length);
  }

  /** Nothing more is printed: what is left is a line too. */
  end(): void {
    if (this.#text !== "") this.#flush();
  }

  #add(piece: string, from: number, to: number): void {
    const room = MAX_LINE_LENGTH - this.#text.length;
    if (to - from > room) this.#cut = true;
    this.#text += piece.slice(from, Math.min(to, from + room));
  }

  #flush(): void {
    const line = { text: this.#text, cut: this.#cut };
    this.#text = "";
    this.#cut = false;
    this.#tell(Object.freeze(line));
  }
}
