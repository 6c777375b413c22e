import { describe, expect, test } from "vitest";
import { type Line, LineCutter, MAX_LINE_LENGTH } from "./lines.js";

function cut(...pieces: string[]): Line[] {
  const lines: Line[] = [];
  const cutter = new LineCutter((line) => lines.push(line));
  for (const piece of pieces) cutter.push(piece);
  cutter.end();
  return lines;
}

const texts = (...pieces: string[]): string[] => cut(...pieces).map(({ text }) => text);

describe("lines", () => {
  test("end where the text says, whatever the pieces", () => {
    const text = "one\ntwo\r\nthree\rfour\n\n\r\nlast";
    const expected = ["one", "two", "three", "four", "", "", "last"];
    expect(texts(text)).toEqual(expected);
    expect(texts(...text)).toEqual(expected);
    for (let at = 1; at < text.length; at++)
      expect(texts(text.slice(0, at), "", text.slice(at))).toEqual(expected);
  });

  test("are none where nothing is printed", () => {
    expect(texts()).toEqual([]);
    expect(texts("", "")).toEqual([]);
    expect(texts("a\n")).toEqual(["a"]);
  });

  test("are whole up to the limit, and cut beyond it", () => {
    const most = "x".repeat(MAX_LINE_LENGTH);
    expect(cut(`${most}\n`)).toEqual([{ text: most, cut: false }]);
    expect(cut(`${most}y\nz\n`)).toEqual([
      { text: most, cut: true },
      { text: "z", cut: false },
    ]);
    expect(cut(most, "", "y", "\n")).toEqual([{ text: most, cut: true }]);
  });

  test("that do not end take no more memory than the limit", () => {
    const lines: Line[] = [];
    const cutter = new LineCutter((line) => lines.push(line));
    const piece = "x".repeat(1_000_000);
    for (let i = 0; i < 1_000; i++) cutter.push(piece);
    expect(lines).toEqual([]);
    cutter.end();
    expect(lines).toEqual([{ text: piece.slice(0, MAX_LINE_LENGTH), cut: true }]);
  });
});
