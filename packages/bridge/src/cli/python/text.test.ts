import { describe, expect, test } from "vitest";
import { bracketed, docstring, floatLiteral, stringLiteral } from "./text.js";

describe("literals of Python", () => {
  test.each([
    ["plain", '"plain"'],
    ['say "x"', "'say \"x\"'"],
    ["it's", '"it\'s"'],
    [`"'`, `"\\"'"`],
    ["a\\b", '"a\\\\b"'],
    ["a\nb\tc\r", '"a\\nb\\tc\\x0d"'],
    ["\u0000\u007f\u00a0", '"\\x00\\x7f\\xa0"'],
    ["\u200b\u2028\u202e", '"\\u200b\\u2028\\u202e"'],
    ["\u{e0001}", '"\\U000e0001"'],
    ["é 温度 😀", '"é 温度 😀"'],
  ])("the text %j is %s", (text, literal) => {
    expect(stringLiteral(text)).toBe(literal);
  });

  test.each([
    [2, "2.0"],
    [0.1, "0.1"],
    [-0, "-0.0"],
    [1e-7, "1e-7"],
    [1e21, "1e21"],
    [123456789012345680000, "123456789012345680000.0"],
    [Infinity, 'float("inf")'],
    [-Infinity, 'float("-inf")'],
  ])("the float %d is %s", (value, literal) => {
    expect(floatLiteral(value)).toBe(literal);
  });
});

describe("docstrings", () => {
  test.each([
    ["Which model.", '    """Which model."""\n'],
    ["  One\r\n   two\n\nthree ", '    """One\n    two\n    three\n    """\n'],
    ['the "x"', '    """the "x\\""""\n'],
    ['""" + \\', '    """\\"\\"" + \\\\"""\n'],
    ["a\u0007b", '    """a\\x07b"""\n'],
  ])("%j", (text, expected) => {
    expect(docstring(text)).toBe(expected);
  });
});

test("a bracket stands on one line where it fits, else each item has its own", () => {
  const long = Array.from({ length: 9 }, (_, i) => `"item ${i}"`);
  expect(bracketed("X = Literal[", long.slice(0, 2), "]")).toBe('X = Literal["item 0", "item 1"]\n');
  expect(bracketed("X = Literal[", long, "]")).toBe(
    `X = Literal[\n${long.map((item) => `    ${item},\n`).join("")}]\n`,
  );
});
