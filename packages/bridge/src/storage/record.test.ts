import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Constraint } from "../core/constraints.js";
import { INT64_MAX, INT64_MIN, type Stored } from "../core/literal.js";
import { REASONS, Refusal } from "../core/refusal.js";
import type { Change, Commit } from "../core/session/commit.js";
import { TYPE_NAMES, type TypeName, valueType } from "../core/values/registry.js";
import type { Variable } from "../core/variable.js";
import { History, plainCommit } from "../testing/commits.contract.js";
import { fromRecord, RecordMaker } from "./record.js";

const text = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 80 }),
);
const time = fc.double({ min: 0, max: 1e15, noNaN: true });
const metadata = fc
  .uniqueArray(fc.tuple(text, text), { selector: ([key]) => key, maxLength: 3 })
  .map((pairs) => new Map(pairs));
const hex = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Buffer.from(bytes).toString("hex"));

const integer = (value: bigint) => ({ kind: "integer" as const, value });
const VALUES: Record<TypeName, fc.Arbitrary<Stored>> = {
  float: fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN)),
  integer: fc.oneof(fc.bigInt({ min: INT64_MIN, max: INT64_MAX }), fc.constantFrom(INT64_MIN, INT64_MAX)),
  string: text,
  boolean: fc.boolean(),
  choice: fc.constantFrom("", "é", "b"),
  json: fc.constantFrom(' {"b":1.0, "a":[null]}\n', '"\\u00e9é"', "null", "-0"),
};
const CONSTRAINTS: Record<TypeName, readonly Constraint[]> = {
  float: [{ key: "max", values: [{ kind: "float", value: -0 }] }],
  integer: [
    { key: "min", values: [integer(INT64_MIN)] },
    { key: "step", values: [integer(3n)] },
  ],
  string: [
    { key: "max_length", values: [integer(100n)] },
    { key: "pattern", values: [{ kind: "string", value: "^é" }] },
  ],
  boolean: [],
  choice: [{ key: "choices", values: ["b", "é", ""].map((value) => ({ kind: "string", value })) }],
  json: [],
};
const type = fc.constantFrom(...TYPE_NAMES);

function limitsOf(name: TypeName, constraints: readonly Constraint[]): Variable["limits"] {
  const limits = valueType(name).limits(constraints);
  if (limits instanceof Refusal) throw new Error(limits.message);
  return limits;
}

const variable: fc.Arbitrary<Variable> = type.chain((name) =>
  fc.record({
    id: text,
    name: text,
    type: fc.constant(name),
    value: VALUES[name],
    version: fc.maxSafeNat(),
    // There is no choice without its constraint.
    limits: fc
      .boolean()
      .map((limited) => limitsOf(name, limited || name === "choice" ? CONSTRAINTS[name] : [])),
    registered: metadata,
    latest: metadata,
    source: text,
    createdAtMs: time,
    updatedAtMs: time,
    provisional: fc.boolean(),
  }),
);
const change: fc.Arbitrary<Change> = fc.oneof(
  variable.map((one): Change => ({ kind: "define", variable: one })),
  type.chain((name) =>
    fc
      .record({ id: text, name: text, version: fc.maxSafeNat(), value: VALUES[name] })
      .map((rest): Change => ({ kind: "set", type: name, ...rest })),
  ),
  fc.record({ name: text, version: fc.maxSafeNat() }).map((rest): Change => ({ kind: "drop", ...rest })),
);
const refused = fc.record({
  index: fc.nat(999),
  identifier: text,
  refusal: fc
    .record({ reason: fc.constantFrom(...REASONS), message: text, identifier: text, limit: fc.boolean() })
    .map(
      ({ reason, message, identifier, limit }) =>
        new Refusal(reason, message, {
          identifier,
          ...(limit ? { limit: { setting: "max-items", limit: 5, actual: 6 } } : {}),
        }),
    ),
});
const commit: fc.Arbitrary<Commit> = fc
  .record({
    sessionId: text,
    incarnation: hex,
    revision: fc.maxSafeNat(),
    kind: fc.constantFrom<Commit["kind"]>(
      "createSession",
      "deleteSession",
      "expireSession",
      "registerVariable",
      "ensureVariables",
      "setVariable",
      "setVariables",
      "incrementVariable",
      "deleteVariable",
    ),
    wallTimeMs: time,
    source: text,
    writer: text,
    metadata,
    requestId: fc.option(fc.record({ clientId: hex, sequence: fc.maxSafeNat() }), { nil: undefined }),
    created: fc.option(fc.record({ ttlMs: time, metadata }), { nil: undefined }),
    changes: fc.array(change, { maxLength: 4 }),
    refused: fc.array(refused, { maxLength: 2 }),
  })
  .map(({ requestId, created, ...rest }) => ({
    ...rest,
    ...(requestId === undefined ? {} : { requestId }),
    ...(created === undefined ? {} : { created }),
  }));
const check = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });

/** What reading damaged bytes comes to: a RangeError, or a record whose check gives the damage away. */
function expectDamageToShow(bytes: Uint8Array, whole: bigint): void {
  try {
    expect(fromRecord(bytes).check).not.toBe(whole);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
  }
}

function eventful(): History {
  const history = new History("s\u{1f600}", { ttlMs: 60_000 });
  history.set("a", "float", 1.5);
  history.set("b", "string", "é".repeat(40));
  history.set("n", "integer", INT64_MIN);
  history.set("t", "boolean", true);
  history.set("c", "choice", "é");
  history.set("j", "json", ' {"b":1.0,"a":null}\n');
  history.partly("a", -0);
  history.drop("b");
  return history;
}

/** One commit with every kind of field in it. */
const pinned: Commit = {
  sessionId: "sé",
  incarnation: "00112233445566778899aabbccddeeff",
  revision: 300,
  kind: "setVariables",
  wallTimeMs: 1_893_456_000_000.5,
  source: "python",
  writer: "anyone",
  metadata: new Map([["k", "v"]]),
  requestId: { clientId: "f".repeat(32), sequence: 2 ** 53 - 1 },
  created: { ttlMs: 60_000, metadata: new Map() },
  changes: [
    {
      kind: "define",
      variable: {
        id: "var_n_300",
        name: "n",
        type: "integer",
        value: -5n,
        version: 1,
        limits: limitsOf("integer", CONSTRAINTS.integer),
        registered: new Map([["unit", "°C"]]),
        latest: new Map(),
        source: "python",
        createdAtMs: 1,
        updatedAtMs: 2,
        provisional: true,
      },
    },
    { kind: "set", name: "x", id: "var_x_2", type: "float", version: 128, value: -0 },
    { kind: "set", name: "t", id: "var_t_3", type: "string", version: 2, value: "\u{1f600}" },
    { kind: "set", name: "b", id: "var_b_4", type: "boolean", version: 2, value: true },
    { kind: "drop", name: "d", version: 7 },
  ],
  refused: [
    { index: 1, identifier: "y", refusal: new Refusal("VARIABLE_NOT_FOUND", "no y", { identifier: "y" }) },
  ],
};
const PINNED_HEX = [
  "efcdab8967452301010300000073c3a92000000030303131323233333434353536363737383839396161626263636464",
  "65656666ac02060008405bac8d7b4206000000707974686f6e06000000616e796f6e6501010000006b01000000760120",
  "0000006666666666666666666666666666666666666666666666666666666666666666ffffffffffffff0f0100000000",
  "004ced40000500090000007661725f6e5f333030010000006e0101fbffffffffffffff0102030000006d696e01010000",
  "0000000000800400000073746570010103000000000000000104000000756e697403000000c2b0430006000000707974",
  "686f6e000000000000f03f000000000000004001010100000078070000007661725f785f320080010000000000000000",
  "80010100000074070000007661725f745f3302020304000000f09f9880010100000062070000007661725f625f340302",
  "04010201000000640701010100000079120000005641524941424c455f4e4f545f464f554e44040000006e6f20791200",
  "00007b226964656e746966696572223a2279227d",
].join("");
const PINNED_CHECK = 0xd7098758f75da0b2n;

/** The types that came after it. */
const pinnedLater: Commit = {
  sessionId: "s",
  incarnation: "0",
  revision: 2,
  kind: "ensureVariables",
  wallTimeMs: 0,
  source: "cli",
  writer: "a",
  metadata: new Map(),
  changes: [
    {
      kind: "define",
      variable: {
        id: "var_c_2",
        name: "c",
        type: "choice",
        value: "é",
        version: 1,
        limits: limitsOf("choice", CONSTRAINTS.choice),
        registered: new Map(),
        latest: new Map(),
        source: "cli",
        createdAtMs: 0,
        updatedAtMs: 0,
        provisional: false,
      },
    },
    { kind: "set", name: "j", id: "var_j_1", type: "json", version: 2, value: ' {"é":1.0}' },
  ],
  refused: [],
};
const PINNED_LATER_HEX = [
  "000000000000000001010000007301000000300204000000000000000003000000636c69010000006100000002000700",
  "00007661725f635f320100000063040302000000c3a901010700000063686f69636573030301000000620302000000c3",
  "a90300000000000003000000636c69000000000000000000000000000000000001010000006a070000007661725f6a5f",
  "310502050b000000207b22c3a9223a312e307d00",
].join("");

describe("a record", () => {
  test("reads back as the commit it was made of, whatever is in it", () => {
    const maker = new RecordMaker();
    fc.assert(
      fc.property(commit, check, (given, previous) => {
        const record = maker.make(given, previous);
        const read = fromRecord(record.bytes);
        expect(plainCommit(read.commit)).toEqual(plainCommit(given));
        expect([read.previousCheck, read.check]).toEqual([previous, record.check]);
      }),
      { numRuns: 300 },
    );
  });

  test("keeps constraints in force: what was read checks as what was written", () => {
    fc.assert(
      fc.property(variable, VALUES.string, VALUES.float, VALUES.integer, (given, ...others) => {
        const { commit: read } = fromRecord(
          new RecordMaker().make(
            { ...eventful().last.commit, changes: [{ kind: "define", variable: given }] },
            0n,
          ).bytes,
        );
        const [again] = read.changes;
        if (again?.kind !== "define") throw new Error("no definition was read");
        for (const value of [given.value, ...others].filter((one) => typeof one === typeof given.value))
          expect(again.variable.limits.check(value)?.message).toBe(given.limits.check(value)?.message);
      }),
    );
  });

  test("has the same bytes each time it is made, and of a commit that was read", () => {
    fc.assert(
      fc.property(commit, check, (given, previous) => {
        const { bytes } = new RecordMaker().make(given, previous);
        expect(new RecordMaker().make(given, previous).bytes).toEqual(bytes);
        expect(new RecordMaker().make(fromRecord(bytes).commit, previous).bytes).toEqual(bytes);
      }),
    );
  });

  test("has another check after another commit", () => {
    fc.assert(
      fc.property(commit, check, check, (given, a, b) => {
        fc.pre(a !== b);
        expect(new RecordMaker().make(given, a).check).not.toBe(new RecordMaker().make(given, b).check);
      }),
    );
  });

  test("of format 1 has the bytes that it always had: what is stored stays readable, and its check the same", () => {
    const { bytes, check: made } = new RecordMaker().make(pinned, 0x0123456789abcdefn);
    expect(Buffer.from(bytes).toString("hex")).toBe(PINNED_HEX);
    expect(made).toBe(PINNED_CHECK);
    const read = fromRecord(Buffer.from(PINNED_HEX, "hex"));
    expect(plainCommit(read.commit)).toEqual(plainCommit(pinned));
    const { bytes: later } = new RecordMaker().make(pinnedLater, 0n);
    expect(Buffer.from(later).toString("hex")).toBe(PINNED_LATER_HEX);
    expect(plainCommit(fromRecord(Buffer.from(PINNED_LATER_HEX, "hex")).commit)).toEqual(
      plainCommit(pinnedLater),
    );
  });

  test("that was cut off anywhere is refused as out of range", () => {
    for (const { bytes } of eventful().records) {
      for (let length = 0; length < bytes.length; length++)
        expect(() => fromRecord(bytes.subarray(0, length)), `${length} of ${bytes.length} bytes`).toThrow(
          RangeError,
        );
    }
  });

  test("with bytes after its end is refused as out of range", () => {
    for (const { bytes } of eventful().records)
      expect(() => fromRecord(Uint8Array.of(...bytes, 0))).toThrow(RangeError);
  });

  test("with any one bit flipped is refused as out of range, or has another check", () => {
    for (const { bytes, check: whole } of eventful().records) {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = bytes.slice();
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expectDamageToShow(flipped, whole);
      }
    }
  });

  test("with anything overwritten is refused as out of range, or has another check", () => {
    const [, ...records] = eventful().records;
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        fc.uint8Array({ minLength: 1, maxLength: 8 }),
        (which, where, noise) => {
          const { bytes, check: whole } = records[which % records.length] as {
            bytes: Uint8Array;
            check: bigint;
          };
          const damaged = bytes.slice();
          damaged.set(noise.subarray(0, bytes.length - (where % bytes.length)), where % bytes.length);
          fc.pre(Buffer.compare(damaged, bytes) !== 0);
          expectDamageToShow(damaged, whole);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  test("that is not a record at all is refused as out of range", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const bytes = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 1, ...noise);
        expect(() => fromRecord(bytes)).toThrow(RangeError);
      }),
    );
  });

  test("of a newer format is refused, and the message names the format", () => {
    const bytes = eventful().last.bytes.slice();
    bytes[8] = 2;
    expect(() => fromRecord(bytes)).toThrow(/format 2/);
  });

  test("is made whole even after another could not be made", () => {
    const maker = new RecordMaker();
    const good = eventful().last.commit;
    const bad = { ...good, changes: null } as unknown as Commit;
    expect(() => maker.make(bad, 0n)).toThrow();
    expect(maker.make(good, 5n).bytes).toEqual(new RecordMaker().make(good, 5n).bytes);
  });
});
