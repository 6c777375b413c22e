import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { REASONS, type Reason } from "../../core/refusal.js";
import { type Bridge, startBridge } from "../../server.js";
import { encode } from "../../wire/bytes.js";
import { CODES, codeOf } from "../../wire/errors.js";
import { SessionService } from "../../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableType } from "../../wire/gen/snakepit/bridge/v1/values_pb.js";
import { OnMissing, VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import { type Outcome, pathOf, RawClient } from "./raw-client.contract.js";

const S = SessionService.method;
const V = VariableService.method;
const number = (value: number) => ({ kind: { case: "number" as const, value } });
const string = (value: string) => ({ kind: { case: "string" as const, value } });
const float = (name: string) => ({ name, type: VariableType.FLOAT, initialValue: number(0.5) });

let bridge: Bridge;
let client: RawClient;

beforeAll(async () => {
  bridge = await startBridge({
    port: 0,
    logger: "silent",
    graceMs: 0,
    limits: { maxSessions: 1, maxVariables: 6, maxValueBytes: 100, maxItems: 3 },
  });
  client = new RawClient(bridge.address);
  await client.ok(S.createSession, { sessionId: "s" });
  const max = { key: "max", values: [number(1)] };
  await client.ok(V.registerVariable, {
    sessionId: "s",
    definition: { ...float("limited"), constraints: [max] },
  });
  const item = { identifier: "guessed", value: string("a") };
  await client.ok(V.setVariable, { sessionId: "s", item, onMissing: OnMissing.INFER });
});

afterAll(async () => {
  client.close();
  await bridge.close();
});

const set = (identifier: string, value: ReturnType<typeof number | typeof string> | undefined, more = {}) =>
  client.refused(V.setVariable, {
    sessionId: "s",
    item: { identifier, ...(value === undefined ? {} : { value }), ...more },
  });
const register = (definition: object) => client.refused(V.registerVariable, { sessionId: "s", definition });
const metadata = [{ key: "source", value: "" }];

/** How each reason comes about, and what else the caller is told. Some cannot be brought about on purpose. */
const CASES: { readonly [R in Reason]?: readonly [cause: () => Promise<Outcome>, details: object] } = {
  SESSION_NOT_FOUND: [() => client.refused(S.getSession, { sessionId: "none" }), { sessionId: "none" }],
  VARIABLE_NOT_FOUND: [() => set("none", number(1)), { sessionId: "s", identifier: "none" }],
  VARIABLE_EXISTS: [() => register(float("limited")), { identifier: "limited" }],
  DEFINITION_CONFLICT: [() => register(float("guessed")), { identifier: "guessed" }],
  TYPE_MISMATCH: [
    () => set("limited", string("a")),
    { typeMismatch: { expected: "float", actual: "string" } },
  ],
  CONSTRAINT_VIOLATED: [() => set("limited", number(2)), { constraint: "max", identifier: "limited" }],
  BATCH_REFUSED: [
    () =>
      client.refused(V.setVariables, {
        sessionId: "s",
        atomic: true,
        items: [
          { identifier: "limited", value: number(0) },
          { identifier: "limited", value: number(0) },
          { identifier: "none", value: number(0) },
        ],
      }),
    {
      items: [
        { index: 1, identifier: "limited", refusal: { reason: "DUPLICATE_ITEM" } },
        { index: 2, identifier: "none", refusal: { reason: "VARIABLE_NOT_FOUND" } },
      ],
    },
  ],
  INVALID_NAME: [() => register(float(" x")), { identifier: " x" }],
  INVALID_VALUE: [() => set("limited", undefined), { identifier: "limited" }],
  INVALID_CONSTRAINT: [
    () => register({ ...float("x"), constraints: [{ key: "step", values: [number(1)] }] }),
    { constraint: "step", identifier: "x" },
  ],
  UNKNOWN_TYPE: [() => register({ ...float("x"), type: 99 }), { identifier: "x" }],
  INVALID_METADATA: [() => client.refused(S.createSession, { sessionId: "s", metadata }), { sessionId: "s" }],
  INVALID_ARGUMENT: [
    () => client.refused(V.listVariables, { sessionId: "s", glob: "\\" }),
    { field: "glob", sessionId: "s" },
  ],
  VERSION_CONFLICT: [
    () => set("limited", number(0), { expectedVersion: 7n }),
    { versionConflict: { expected: 7, current: 1 } },
  ],
  TOO_LARGE: [
    () => set("guessed", string("x".repeat(101))),
    { limit: { setting: "max-value-bytes", limit: 100, actual: 101 } },
  ],
  TOO_MANY_VARIABLES: [
    async () => {
      for (const name of ["a", "b", "c", "d"]) {
        await client.ok(V.registerVariable, { sessionId: "s", definition: float(name) });
      }
      return register(float("e"));
    },
    { limit: { setting: "max-variables", limit: 6, actual: 7 } },
  ],
  TOO_MANY_SESSIONS: [
    () => client.refused(S.createSession, { sessionId: "other" }),
    { limit: { setting: "max-sessions", limit: 1, actual: 2 } },
  ],
  TOO_MANY_ITEMS: [
    () => client.refused(V.getVariables, { sessionId: "s", identifiers: ["a", "a", "a", "a"] }),
    { limit: { setting: "max-items", limit: 3, actual: 4 } },
  ],
};

/** These are brought about in `door.test.ts` and `channel-watch.test.ts`, or stand in a result and not in a status. */
const ELSEWHERE: readonly Reason[] = [
  "DUPLICATE_ITEM",
  "DEADLINE_EXCEEDED",
  "SHUTTING_DOWN",
  "OUTCOME_UNKNOWN",
  "INTERNAL",
  "VERSION_MISMATCH",
  "HISTORY_COMPACTED",
  "WATCH_GAP",
  "WATCH_OVERFLOW",
  "TOO_MANY_WATCHES",
];

test("no reason is left out", () => {
  expect([...Object.keys(CASES), ...ELSEWHERE].sort()).toEqual([...REASONS].sort());
});

describe.each(Object.keys(CASES) as Reason[])("%s", (reason) => {
  test("arrives over a socket with its code and its fields", async () => {
    const [cause, details] = CASES[reason] ?? [];
    const outcome = await cause?.();
    expect(outcome?.refusal).toMatchObject({ reason, details });
    expect(outcome?.code).toBe(CODES[codeOf(reason)]);
    // Status and details have to say the same, or clients reject both.
    expect(outcome?.message).toBe(outcome?.refusal?.message);
  });
});

describe("names [VAL-8]", () => {
  const get = (identifier: string) => client.refused(V.getVariable, { sessionId: "s", identifier });
  const LONG = "é".repeat(128);

  test.each([
    "constructor",
    "hasOwnProperty",
    "toString",
    "then",
    ".",
    "..",
    "/",
    "{}",
    "*",
    "[a-z]+",
    "é",
    "e\u0301",
    "\u{1f600}",
    LONG,
  ])("%j can be the name of a variable, and is not found", async (name) => {
    expect(await get(name)).toMatchObject({
      code: status.NOT_FOUND,
      refusal: { reason: "VARIABLE_NOT_FOUND", details: { identifier: name } },
    });
  });

  test.each([
    "",
    "__proto__",
    " a",
    "a\u3000",
    "a\u0000",
    "a\nb",
    "\u2028",
    "a\ufeff",
    "\ufeffa",
    `${LONG}a`,
    "x".repeat(100_000),
  ])("%j cannot", async (name) => {
    expect(await get(name)).toMatchObject({
      code: status.INVALID_ARGUMENT,
      refusal: { reason: "INVALID_NAME", details: { sessionId: "s" } },
    });
  });

  test("é is kept apart from e with an accent", async () => {
    const { missing } = await client.ok(V.getVariables, { sessionId: "s", identifiers: ["é", "e\u0301"] });
    expect(missing).toEqual(["é", "e\u0301"]);
  });
});

test("text with a lone surrogate, as some writers put it into UTF-8, is refused and not replaced", async () => {
  const request = encode(S.getSession.input, {
    $typeName: "snakepit.bridge.v1.GetSessionRequest",
    sessionId: "???",
  });
  request.set([0xed, 0xa0, 0x80], 2);
  const outcome = await client.send(pathOf(SessionService, "GetSession"), request);
  expect(outcome).toMatchObject({ code: status.INVALID_ARGUMENT, refusal: { reason: "INVALID_ARGUMENT" } });
});
