import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InvalidInputError } from "../core/errors.js";
import { Refusal } from "../core/refusal.js";
import type { StateUpdate } from "../core/state-update.js";
import { isWellFormed } from "../core/text.js";
import { follow, update } from "./arbitraries.contract.js";
import { encode } from "./bytes.js";
import { StateUpdateSchema } from "./gen/snakepit/bridge/v1/state_pb.js";
import type { VariableType } from "./gen/snakepit/bridge/v1/values_pb.js";
import { followBytes, followFromBytes, updateBytes, updateFromBytes } from "./state-codecs.js";

const REVISION = { incarnation: "1".repeat(32), number: 2, check: 3n };

describe("what a follower is told", () => {
  test("is the same after the journey", () => {
    fc.assert(
      fc.property(update, (sent) => {
        expect(updateFromBytes(updateBytes(sent))).toEqual(sent);
      }),
      { numRuns: 300 },
    );
  });

  test("is made into bytes once", () => {
    const each: StateUpdate = { revision: REVISION, changed: [], deleted: ["a"], more: false };
    expect(updateBytes(each)).toBe(updateBytes(each));
  });

  test("makes sense, or is a PROTOCOL error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          updateFromBytes(bytes);
        } catch (error) {
          expect(error).toMatchObject({ reason: "PROTOCOL" });
        }
      }),
      { numRuns: 500 },
    );
    expect(() => updateFromBytes(new Uint8Array())).toThrow(/makes no sense/);
  });

  test("of a type that this version does not know is a PROTOCOL error, with and without a value", () => {
    const entry = { $typeName: "snakepit.bridge.v1.StateEntry", name: "a", id: "i", version: 1n } as const;
    const value = {
      $typeName: "snakepit.bridge.v1.Value",
      kind: { case: "float", value: 1 },
    } as const;
    const type = 99 as VariableType;
    for (const changed of [
      { ...entry, type },
      { ...entry, type, value },
    ]) {
      const bytes = encode(StateUpdateSchema, {
        $typeName: "snakepit.bridge.v1.StateUpdate",
        revision: {
          $typeName: "snakepit.bridge.v1.Revision",
          incarnation: new Uint8Array(16),
          number: 1n,
          commitCheck: 1n,
        },
        changed: [changed],
        deleted: [],
        more: false,
      });
      expect(() => updateFromBytes(bytes)).toThrow(expect.objectContaining({ reason: "PROTOCOL" }));
    }
  });
});

describe("what a follower asks for", () => {
  test("is the same after the journey, unless no message can carry it", () => {
    fc.assert(
      fc.property(follow, (asked) => {
        if (isWellFormed(asked.sessionId)) expect(followFromBytes(followBytes(asked))).toEqual(asked);
        else expect(() => followBytes(asked)).toThrow(InvalidInputError);
      }),
    );
  });

  test("of any bytes is something to follow or a refusal", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const asked = followFromBytes(bytes);
        if (asked instanceof Refusal) expect(asked.reason).toBe("INVALID_ARGUMENT");
        else expect(asked).toHaveProperty("sessionId");
      }),
      { numRuns: 500 },
    );
  });
});
