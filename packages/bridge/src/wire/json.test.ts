/** Messages as JSON [DOOR-6]. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Refusal } from "../core/refusal.js";
import { command } from "./arbitraries.contract.js";
import { ListSessionsRequestSchema } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { ValueSchema } from "./gen/snakepit/bridge/v1/values_pb.js";
import { SetVariableRequestSchema } from "./gen/snakepit/bridge/v1/variables_pb.js";
import { bytesFromJson, jsonFromBytes, refusalJson } from "./json.js";
import { SERVICES } from "./services.js";

const utf8 = (text: string) => new TextEncoder().encode(text);
const text = (bytes: Uint8Array) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);

function again(json: string): string {
  const bytes = bytesFromJson(ValueSchema, utf8(json));
  return bytes instanceof Refusal ? bytes.message : text(jsonFromBytes(ValueSchema, bytes));
}

describe("a value", () => {
  test.each([
    ['{"float":0.1}'],
    ['{"float":"NaN"}'],
    ['{"float":"-Infinity"}'],
    ['{"float":"Infinity"}'],
    ['{"float":0}'],
    ['{"float":-0}'],
    ['{"float":1e+300}'],
    ['{"number":9007199254740993}', '{"number":9007199254740992}'],
    ['{"float":"-1.5e-3"}', '{"float":-0.0015}'],
    ['{"float":"7"}', '{"float":7}'],
    ['{"float":9007199254740993}', '{"float":9007199254740992}'],
    ['{"float":"9007199254740993"}', '{"float":9007199254740992}'],
    ['{"integer":7}', '{"integer":"7"}'],
    ['{"integer":"-7"}'],
    ['{"integer":"-9223372036854775808"}'],
    ['{"integer":9007199254740991}', '{"integer":"9007199254740991"}'],
    ['{"boolean":false}'],
    ['{"string":""}'],
    [`{"string":"\ufeffa"}`],
    ['{"json":"{\\"a\\": [1]}"}'],
  ])("[DOOR-6 accepts] %s", (json, written = json) => {
    expect(again(json)).toBe(written);
  });

  test.each([
    ['{"integer":9007199254740993}', "beyond 2^53 − 1 a string of digits"],
    ['{"integer":0.5}', "beyond 2^53 − 1 a string of digits"],
    ['{"integer":"9223372036854775808"}', "the JSON is no Value"],
    ...["", " ", " 5", "5\\n", "+5", "0x10", "0b11", "5.0", "1e2", "5n", "\u0665"].map(
      (text): [string, string] => [`{"integer":"${text}"}`, "integer: has to be a whole number"],
    ),
    ...["", " ", " 5", "+5", "0x10", "0b11", "5.", ".5", "05", "infinity", "nan", "5\\n"].map(
      (text): [string, string] => [`{"float":"${text}"}`, "float: has to be a number"],
    ),
    ['{"float":"1e400"}', "the JSON is no Value"],
    ['{"number":"0x10"}', "number: has to be a number"],
    [`{"integer":"${"9".repeat(21)}"}`, "at most 20 decimal digits"],
    ['{"float":1e999}', "the JSON is no Value"],
    ['{"float":true}', "the JSON is no Value"],
    ['{"string":"\\ud800"}', "lone surrogate"],
    ['{"string":1}', "the JSON is no Value"],
    ['{"float":1,"number":1}', "the JSON is no Value"],
    ['{"decimal":1}', "the JSON is no Value"],
    ['{"__proto__":{"float":1}}', "the JSON is no Value"],
    ["[]", "the JSON is no Value"],
    ["7", "the JSON is no Value"],
    ["", "the JSON is no Value"],
    ["{", "the JSON is no Value"],
    ["[".repeat(200_000), "the JSON is no Value"],
  ])("[DOOR-6 refuses] %j", (json, problem) => {
    const refusal = bytesFromJson(ValueSchema, utf8(json));
    expect(refusal).toMatchObject({ reason: "INVALID_ARGUMENT", message: expect.stringContaining(problem) });
  });

  test("[DOOR-6 refuses] text that is not UTF-8", () => {
    const bytes = Uint8Array.of(...utf8('{"string":"'), 0xff, ...utf8('"}'));
    expect(bytesFromJson(ValueSchema, bytes)).toBeInstanceOf(Refusal);
  });
});

test("names may be written as in the contract or as JSON has them, and are looked into alike", () => {
  for (const key of ["expected_version", "expectedVersion"]) {
    const json = (version: string) => utf8(`{"item":{"${key}":${version}}}`);
    expect(bytesFromJson(SetVariableRequestSchema, json('"3"'))).toBeInstanceOf(Uint8Array);
    expect(bytesFromJson(SetVariableRequestSchema, json("9007199254740993"))).toBeInstanceOf(Refusal);
  }
});

test("a number of 32 bits in a string is one of digits too", () => {
  const json = (size: string) => utf8(`{"page_size":${size}}`);
  for (const size of ["10", '"10"'])
    expect(bytesFromJson(ListSessionsRequestSchema, json(size))).toBeInstanceOf(Uint8Array);
  expect(bytesFromJson(ListSessionsRequestSchema, json('"0x10"'))).toMatchObject({
    message: expect.stringContaining("page_size: has to be a whole number"),
  });
});

test.each([
  ["a key", (long: string) => `{"${long}":1}`],
  ["digits", (long: string) => `{"integer":"${long.replaceAll("x", "9")}"}`],
  ["a text for an integer", (long: string) => `{"integer":"${long}"}`],
  ["a text for a boolean", (long: string) => `{"boolean":"${long}"}`],
])("what is refused is not told at length: %s [VAL-2]", (_, json) => {
  const refusal = bytesFromJson(ValueSchema, utf8(json("x".repeat(100_000))));
  expect(refusal).toMatchObject({ reason: "INVALID_ARGUMENT" });
  expect((refusal as Refusal).message.length).toBeLessThan(400);
});

test("every command comes back from JSON as it was", () => {
  const rpcs = new Map(SERVICES.flatMap(({ rpcs }) => rpcs).map((rpc) => [rpc.kind, rpc]));
  fc.assert(
    fc.property(command, (asked) => {
      const rpc = rpcs.get(asked.kind);
      if (rpc === undefined) throw new Error(`no RPC for ${asked.kind}`);
      // JSON has no longer times, and no session does.
      fc.pre(!("ttlMs" in asked) || Math.abs(asked.ttlMs ?? 0) < 315_576_000_000_000);
      const bytes = rpc.request(asked);
      const back = bytesFromJson(rpc.input, jsonFromBytes(rpc.input, bytes));
      expect(back).toEqual(bytes);
    }),
  );
});

test("a refusal has its detail twice: for programs and for people", () => {
  const json = refusalJson(
    new Refusal("TOO_LARGE", "too \ud800 large", { limit: { setting: "x", limit: 1 } }),
  );
  expect(json).toMatchObject({
    code: "resource_exhausted",
    message: "too \ufffd large",
    details: [
      {
        type: "snakepit.bridge.v1.ErrorDetail",
        value: expect.stringMatching(/^[\w+/]+$/),
        debug: { reason: "ERROR_REASON_TOO_LARGE", limit: { setting: "x", limit: "1" } },
      },
    ],
  });
});
