import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { commitCheck } from "./commit-check.js";

const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);
const counted = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 7 + 1);

describe("commitCheck", () => {
  // The first 64 bits, little-endian, of what the Python package mmh3 gives for hash_bytes(…, 0, x64arch=False).
  test.for([
    ["", 0x0n],
    ["\u0000", 0x54d201b988c4adecn],
    ["a", 0x5556b01ba794933cn],
    ["ab", 0x25be3010158451dfn],
    ["abc", 0xa2b006a575cdc6d1n],
    ["abcd", 0x45afc62e96b6ccaan],
    ["The quick brown fox jumps over the lazy dog", 0xecee2c672f1583c3n],
  ] as const)("of the bytes of %j is what the reference says", ([text, check]) => {
    expect(commitCheck(ascii(text))).toBe(check);
  });

  // One for each length of the tail, with and without whole blocks before it.
  const BY_LENGTH = [
    0x0n,
    0x84f1d1ddda3dd3f0n,
    0xb0979bee19d7266an,
    0xfc76e0773975c45fn,
    0xf318d3a9917da576n,
    0xd44edb76b50a134an,
    0x6635654f3d13bbb2n,
    0x1258df504bb60653n,
    0x715857f58742379bn,
    0xcb82146cddc4aa61n,
    0x9a380a41a9018edbn,
    0x25221f4abef49f16n,
    0x8f9d1a709e7c064fn,
    0x38a24398ed0d0054n,
    0x3567c67bbaac0a2bn,
    0xc11adc27feef6310n,
    0xf2fc8fcd5c2b0380n,
    0x1626e33b36a29231n,
    0x3ac8fedab8ee9d48n,
    0x54f8829d7e8a1c5an,
    0x5da98101ecf2cbe4n,
    0x14d014c81e87775en,
    0x8a6913c7d8322591n,
    0xa349183a98e494a8n,
    0x8f8e84d4041d7c8dn,
    0xe9fa8d4f2296c928n,
    0x14c0478906cc27b6n,
    0x217ca6d575e911b1n,
    0x64fdaf1a7ed699b2n,
    0xc8de13af1357244dn,
    0x00858eee12c9145cn,
    0xad41d2ce4116c0b7n,
    0x64f208db9484de4bn,
    0x6d1d7c422766384bn,
  ];
  test("is what the reference says for every length up to two blocks and a tail", () => {
    expect(BY_LENGTH.map((_, length) => commitCheck(counted(length)))).toEqual(BY_LENGTH);
  });

  test("is what the reference says where every intermediate is large, and for 100,000 bytes", () => {
    expect(commitCheck(new Uint8Array(64).fill(255))).toBe(0x91f881d25b8f309cn);
    expect(commitCheck(Uint8Array.from({ length: 100_000 }, (_, i) => i % 251))).toBe(0x18bbe174e7f988c8n);
  });

  test("looks at the bytes of a view and not at the buffer around it", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), fc.nat(9), (bytes, offset) => {
        const around = new Uint8Array(bytes.length + 20).fill(170);
        around.set(bytes, offset);
        expect(commitCheck(around.subarray(offset, offset + bytes.length))).toBe(commitCheck(bytes));
      }),
    );
  });

  test("differs when a single bit does", () => {
    const bytes = counted(61);
    const whole = commitCheck(bytes);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
      expect(commitCheck(flipped)).not.toBe(whole);
    }
  });
});
