import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import type { Command } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { decode, encode } from "./bytes.js";
import { commandFromProto, commandToProto } from "./commands.js";
import { CommandSchema } from "./gen/snakepit/bridge/v1/command_pb.js";

type Kind = NonNullable<MessageInitShape<typeof CommandSchema>["kind"]>;

/** The command that a request comes to, after the journey; a refusal is thrown as its parts. */
function received(kind: Kind): Command {
  const message = decode(CommandSchema, encode(CommandSchema, create(CommandSchema, { kind })));
  if (message instanceof Refusal) throw new Error(message.message);
  const command = commandFromProto(message);
  if (command instanceof Refusal) throw Object.assign(new Error(command.message), command);
  return command;
}

/** The refusal of a command that no message can carry. */
function unsendable(command: Command): Refusal {
  const message = commandToProto(command);
  if (message instanceof Refusal) return message;
  throw new Error("it can be sent");
}

const set = { kind: "setVariable", sessionId: "s", onMissing: "fail", metadata: [] } as const;
const value = { kind: "number", value: 1 } as const;
const LONE = "\ud800";

describe("what is not set", () => {
  test("a request without its item or definition names the field", () => {
    for (const [kind, field] of [
      ["setVariable", "item"],
      ["registerVariable", "definition"],
    ] as const) {
      expect(() => received({ case: kind, value: { sessionId: "s" } })).toThrow(
        expect.objectContaining({ reason: "INVALID_ARGUMENT", details: { field } }),
      );
    }
  });

  test("[VAL-3 refuses] a value with no arm reaches the domain, which judges it with its item", () => {
    expect(received({ case: "setVariable", value: { item: { identifier: "x", value: {} } } })).toMatchObject({
      item: { value: { kind: "unknown" } },
    });
    expect(received({ case: "setVariable", value: { item: { identifier: "x" } } })).toMatchObject({
      item: { value: { kind: "unknown" } },
    });
    expect(received({ case: "incrementVariable", value: {} })).toMatchObject({ by: { kind: "unknown" } });
    expect(
      received({
        case: "registerVariable",
        value: { definition: { constraints: [{ key: "min", values: [{}] }] } },
      }),
    ).toMatchObject({
      definition: {
        initialValue: { kind: "unknown" },
        constraints: [{ key: "min", values: [{ kind: "unknown" }] }],
      },
    });
  });

  test("optional fields that are not set are absent", () => {
    expect(received({ case: "createSession", value: { sessionId: "s" } })).toStrictEqual({
      kind: "createSession",
      sessionId: "s",
      metadata: [],
    });
    expect(received({ case: "listVariables", value: { sessionId: "s" } })).toStrictEqual({
      kind: "listVariables",
      sessionId: "s",
      pageSize: 0,
      pageToken: "",
    });
  });

  test("a field that is set to its zero is set", () => {
    expect(received({ case: "listSessions", value: { glob: "" } })).toMatchObject({ glob: "" });
    expect(received({ case: "createSession", value: { source: "", ttl: {} } })).toMatchObject({
      source: "",
      ttlMs: 0,
    });
    const item = { identifier: "x", expectedVersion: 0n };
    expect(received({ case: "setVariable", value: { item } })).toMatchObject({
      item: { expectedVersion: 0 },
    });
  });
});

describe("numbers", () => {
  test("a version above 2^53 − 1 is refused, naming the field, and not rounded", () => {
    const item = (expectedVersion: bigint) => ({ identifier: "x", expectedVersion });
    expect(received({ case: "setVariable", value: { item: item(2n ** 53n - 1n) } })).toMatchObject({
      item: { expectedVersion: Number.MAX_SAFE_INTEGER },
    });
    for (const version of [2n ** 53n, 2n ** 64n - 1n]) {
      expect(() => received({ case: "setVariable", value: { item: item(version) } })).toThrow(
        expect.objectContaining({ reason: "INVALID_ARGUMENT", details: { field: "expected_version" } }),
      );
    }
  });

  test("a sequence above 2^53 − 1 is one that the domain refuses", () => {
    const command = received({ case: "deleteVariable", value: { requestId: { sequence: 2n ** 63n + 1n } } });
    expect("requestId" in command && Number.isSafeInteger(command.requestId?.sequence)).toBe(false);
  });

  test("numbers that no field holds are refused before they are sent", () => {
    const expected = (expectedVersion: number) => ({
      ...set,
      item: { identifier: "x", value, expectedVersion },
    });
    for (const number of [-1, 0.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY]) {
      expect(unsendable(expected(number)).details.field).toBe("expected_version");
      const requestId = { clientId: "00".repeat(16), sequence: number };
      const item = { identifier: "x", value };
      expect(unsendable({ ...set, item, requestId }).details.field).toBe("request_id");
      const list = { kind: "listSessions", pageSize: number, pageToken: "" } as const;
      expect(unsendable(list).details.field).toBe("page_size");
    }
    const requestId = { clientId: "no hex", sequence: 1 };
    expect(unsendable({ ...set, item: { identifier: "x", value }, requestId }).details.field).toBe(
      "request_id",
    );
  });

  test("an integer beyond 64 bits is no value", () => {
    for (const wide of [2n ** 63n, -(2n ** 63n) - 1n]) {
      const item = { identifier: "x", value: { kind: "integer", value: wide } } as const;
      expect(unsendable({ ...set, item })).toMatchObject({ reason: "INVALID_VALUE" });
    }
  });

  test("−0 and NaN arrive as they are", () => {
    const number = (sent: number) => {
      const item = { identifier: "x", value: { kind: { case: "float" as const, value: sent } } };
      const command = received({ case: "setVariable", value: { item } });
      return (
        command.kind === "setVariable" && command.item.value.kind === "float" && command.item.value.value
      );
    };
    expect(Object.is(number(-0), -0)).toBe(true);
    expect(number(Number.NaN)).toBeNaN();
  });
});

describe("durations", () => {
  const ttl = (seconds: bigint, nanos: number): number | undefined => {
    const command = received({ case: "createSession", value: { ttl: { seconds, nanos } } });
    return command.kind === "createSession" ? command.ttlMs : undefined;
  };

  test.each([
    [0n, 0, 0],
    [1n, 500_000_000, 1_500],
    [0n, 1, 1],
    [0n, -1, -1],
    [-1n, 0, -1_000],
    [-1n, -500_000_000, -1_500],
    [0n, 1_000_001, 2],
    [0n, 2_000_000_000, 2_000],
    [2n ** 63n - 1n, 999_999_999, 2 ** 63 * 1_000],
    [-(2n ** 63n), 0, -(2 ** 63) * 1_000],
  ])("%d s and %d ns are %d ms: never shorter, and 0 only if it is", (seconds, nanos, ms) => {
    expect(ttl(seconds, nanos)).toBe(ms);
  });

  test("a TTL that is no number is refused before it is sent", () => {
    for (const ttlMs of [Number.NaN, Number.POSITIVE_INFINITY, -1e300]) {
      const command = { kind: "createSession", sessionId: "s", metadata: [], ttlMs } as const;
      expect(unsendable(command).details.field).toBe("ttl");
    }
  });
});

describe("types of a later release", () => {
  test("in a definition the domain hears of it, and of none at all", () => {
    const typed = (type: number) =>
      received({ case: "registerVariable", value: { definition: { name: "x", type: type as never } } });
    expect(typed(0)).toMatchObject({ definition: { type: "" } });
    expect(typed(1)).toMatchObject({ definition: { type: "float" } });
    expect(typed(99)).toMatchObject({ definition: { type: "99" } });
    expect(typed(-1)).toMatchObject({ definition: { type: "-1" } });
  });

  test("in the filter of a list it is refused", () => {
    expect(() => received({ case: "listVariables", value: { type: 99 as never } })).toThrow(
      expect.objectContaining({ reason: "INVALID_ARGUMENT", details: { field: "type" } }),
    );
  });

  test("of on_missing it is refused", () => {
    expect(() => received({ case: "setVariable", value: { item: {}, onMissing: 9 as never } })).toThrow(
      expect.objectContaining({ reason: "INVALID_ARGUMENT", details: { field: "on_missing" } }),
    );
  });
});

describe("lone surrogates are refused before the runtime would replace them", () => {
  const item = { identifier: "x", value };
  test.each<[string, string, Command]>([
    [
      "a value",
      "INVALID_VALUE",
      { ...set, item: { identifier: "x", value: { kind: "string", value: LONE } } },
    ],
    ["an identifier", "INVALID_NAME", { ...set, item: { identifier: LONE, value } }],
    ["a session id", "INVALID_NAME", { kind: "getSession", sessionId: LONE }],
    [
      "one of many identifiers",
      "INVALID_NAME",
      { kind: "getVariables", sessionId: "s", identifiers: ["a", LONE] },
    ],
    ["a key of metadata", "INVALID_METADATA", { ...set, item, metadata: [[LONE, ""]] }],
    ["a value of metadata", "INVALID_METADATA", { ...set, item, metadata: [["a", LONE]] }],
    ["a source", "INVALID_ARGUMENT", { ...set, item, source: LONE }],
    ["a glob", "INVALID_ARGUMENT", { kind: "listSessions", glob: LONE, pageSize: 0, pageToken: "" }],
    ["a page token", "INVALID_ARGUMENT", { kind: "listSessions", pageSize: 0, pageToken: LONE }],
    ["a ping", "INVALID_ARGUMENT", { kind: "ping", message: LONE }],
    [
      "the key of a constraint",
      "INVALID_ARGUMENT",
      {
        kind: "registerVariable",
        sessionId: "s",
        onMissing: "fail",
        definition: {
          name: "x",
          type: "float",
          initialValue: value,
          constraints: [{ key: LONE, values: [value] }],
          metadata: [],
        },
      },
    ],
  ])("in %s", (_, reason, command) => {
    expect(unsendable(command)).toMatchObject({ reason });
  });
});
