import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import { isWellFormed } from "../core/text.js";
import type { Told } from "../core/watch.js";
import { told, watch } from "./arbitraries.contract.js";
import { toldBytes, toldFromBytes, watchBytes, watchFromBytes } from "./watch-codecs.js";

const NO_LIMIT = Number.POSITIVE_INFINITY;

/** Metadata as pairs: equal maps are equal in their order too. */
function comparable(each: Told): unknown {
  return each.kind === "bookmark" ? each : { ...each.event, metadata: [...each.event.metadata] };
}

function lengthOf(value: string): Told {
  const revision = { incarnation: "1".repeat(32), number: 2, check: 3n };
  const side = (version: number) => ({ version, type: "string" as const, value });
  const changes = [{ name: "a", id: "var_a_1", before: side(1), after: side(2) }];
  const event = {
    sessionId: "s",
    kind: "changed",
    source: "test",
    wallTimeMs: 0,
    metadata: new Map(),
  } as const;
  return { kind: "event", event: { ...event, revision, changes } };
}

describe("what a watch tells", () => {
  test("is the same after the journey", () => {
    fc.assert(
      fc.property(told, (sent) => {
        expect(comparable(toldFromBytes(toldBytes(sent, NO_LIMIT)))).toEqual(comparable(sent));
      }),
      { numRuns: 300 },
    );
  });

  test("is made into bytes once", () => {
    const each = lengthOf("x");
    expect(toldBytes(each, NO_LIMIT)).toBe(toldBytes(each, NO_LIMIT));
  });

  test.each([
    [10_000, [1_000, 1_000]],
    [1_500, [undefined, 1_000]],
    [500, [undefined, undefined]],
  ])("is told in %i bytes with the values that fit, those before the change left out first", (most, kept) => {
    const bytes = toldBytes(lengthOf("x".repeat(1_000)), most);
    expect(bytes.length).toBeLessThanOrEqual(most);
    const read = toldFromBytes(bytes);
    const [change] = read.kind === "event" ? read.event.changes : [];
    const lengths = [change?.before, change?.after].map(
      (side) => (side?.value as string | undefined)?.length,
    );
    expect(lengths).toEqual(kept);
    expect([change?.before, change?.after]).toMatchObject([
      { version: 1, type: "string" },
      { version: 2, type: "string" },
    ]);
  });

  test("makes sense, or is a PROTOCOL error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          toldFromBytes(bytes);
        } catch (error) {
          expect(error).toMatchObject({ reason: "PROTOCOL" });
        }
      }),
      { numRuns: 500 },
    );
    expect(() => toldFromBytes(new Uint8Array())).toThrow(/makes no sense/);
  });
});

describe("what is asked to be watched", () => {
  test("is the same after the journey, unless no message can carry it", () => {
    fc.assert(
      fc.property(watch, (asked) => {
        const texts = [asked.sessionId, ...asked.names, asked.glob ?? ""];
        if (texts.every(isWellFormed)) expect(watchFromBytes(watchBytes(asked))).toEqual(asked);
        else expect(() => watchBytes(asked)).toThrow(InvalidInputError);
      }),
    );
  });

  test("of any bytes is a watch or a refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const asked = watchFromBytes(bytes);
        if (asked instanceof Refusal) expect(["INVALID_ARGUMENT", "INVALID_NAME"]).toContain(asked.reason);
        else expect(asked).toHaveProperty("sessionId");
      }),
      { numRuns: 500 },
    );
  });
});
