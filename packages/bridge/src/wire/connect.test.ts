import fc from "fast-check";
import { expect, test } from "vitest";
import { codeOfHttp, codeOfWord, Envelopes, enveloped, type Letter, wordOf } from "./connect.js";
import { CODES, type CodeName } from "./errors.js";
import { joined } from "./parts.js";

test("envelopes come apart as they were put together, however they are cut", () => {
  const letter = fc.record({ flags: fc.nat(255), bytes: fc.uint8Array({ maxLength: 40 }) });
  fc.assert(
    fc.property(fc.array(letter), fc.array(fc.integer({ min: 1, max: 30 })), (letters, cuts) => {
      const pieces = letters.map(({ flags, bytes }) => enveloped(flags, bytes));
      const all = joined(
        pieces,
        pieces.reduce((sum, { length }) => sum + length, 0),
      );
      const envelopes = new Envelopes(40);
      const found: Letter[] = [];
      let at = 0;
      while (at < all.length) {
        const end = at + (cuts.shift() ?? all.length);
        const more = envelopes.add(all.subarray(at, end));
        if (typeof more === "number") throw new Error("too long");
        found.push(...more.map(({ flags, bytes }) => ({ flags, bytes: bytes.slice() })));
        at = end;
      }
      expect(found).toEqual(letters.map(({ flags, bytes }) => ({ flags, bytes })));
      expect(envelopes.isEmpty).toBe(true);
    }),
  );
});

test("an envelope that is too long is known by its head", () => {
  const envelopes = new Envelopes(10);
  expect(envelopes.add(Uint8Array.of(0, 0, 0, 0))).toEqual([]);
  expect(envelopes.add(Uint8Array.of(11))).toBe(11);
});

test("every code has a word, and is found by it", () => {
  for (const [name, code] of Object.entries(CODES)) expect(codeOfWord(wordOf(name as CodeName))).toBe(code);
  expect(wordOf("CANCELLED")).toBe("canceled");
  expect(codeOfWord("nonsense")).toBeUndefined();
  expect(codeOfWord(undefined)).toBeUndefined();
});

test("what only HTTP says is no word of a bridge", () => {
  const codes = [400, 401, 403, 404, 429, 502, 503, 504, 418, 500].map(codeOfHttp);
  expect(codes).toEqual([13, 16, 7, 12, 14, 14, 14, 14, 2, 2]);
});
