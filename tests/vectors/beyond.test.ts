/**
 * Cases that a file of vectors cannot hold: too long to write down, about two answers at once, about the server's
 * settings, or about text that is no command.
 */
import { describe, expect, test } from "vitest";
import { JsonBridge } from "./bridge.js";
import type { JsonObject } from "./files.js";
import { mismatches } from "./match.js";

const MIB = 1_048_576;

describe("limits", () => {
  test("[VAL-20 accepts] a text of exactly 1 MiB", async () => {
    const bridge = new JsonBridge();
    await expectReply(bridge, set("x", { string: "é".repeat(MIB / 2) }), { setVariable: {} });
  });

  test("[VAL-20 refuses] a text of one byte more, counted in UTF-8", async () => {
    const bridge = new JsonBridge();
    const limit = { setting: "max-value-bytes", limit: String(MIB), actual: String(MIB + 1) };
    const tooLarge = refusal("TOO_LARGE", { limit });
    await expectReply(bridge, set("x", { string: `${"é".repeat(MIB / 2)}a` }), tooLarge);
    await expectReply(bridge, register("x", { string: `${"é".repeat(MIB / 2)}a` }), tooLarge);
    await expectReply(bridge, { getSession: { sessionId: "s" } }, refusal("SESSION_NOT_FOUND"));
  });

  test("[VAL-18 accepts] JSON of exactly 1 MiB, and refuses one byte more, also of a text that is shorter as a string", async () => {
    const bridge = new JsonBridge();
    await expectReply(bridge, register("x", { json: "{}" }), { registerVariable: {} });
    const limit = { setting: "max-value-bytes", limit: String(MIB), actual: String(MIB + 1) };
    const whole = `"${"é".repeat(MIB / 2 - 1)}"`;
    await expectReply(bridge, set("x", { json: whole }), { setVariable: {} });
    await expectReply(bridge, set("x", { json: `${whole} ` }), refusal("TOO_LARGE", { limit }));
    // Each quotation mark takes two bytes as JSON, and the string has two of its own.
    await expectReply(bridge, set("x", { string: '"'.repeat(MIB / 2 - 1) }), { setVariable: {} });
    const quotes = `a${'"'.repeat(MIB / 2 - 1)}`;
    await expectReply(bridge, set("x", { string: quotes }), refusal("TOO_LARGE", { limit }));
    await expectReply(bridge, set("y", { string: quotes }), { setVariable: {} });
    await expectReply(bridge, register("y", { json: "{}" }), refusal("DEFINITION_CONFLICT"));
  });

  test("[VAL-20 refuses] more variables than a session may have; deleted names count [VAL-10 accepts]", async () => {
    const bridge = new JsonBridge({ maxVariables: 2 });
    await expectReply(bridge, set("a", { integer: "1" }), { setVariable: {} });
    await expectReply(bridge, set("b", { integer: "1" }), { setVariable: {} });
    await expectReply(bridge, remove("a"), { deleteVariable: {} });
    const limit = { setting: "max-variables", limit: "2" };
    await expectReply(bridge, set("c", { integer: "1" }), refusal("TOO_MANY_VARIABLES", { limit }));
    await expectReply(bridge, set("a", { integer: "1" }), { setVariable: { item: { version: "2" } } });
  });

  test("[VAL-20 refuses] more sessions than the server may have, also by inference", async () => {
    const bridge = new JsonBridge({ maxSessions: 1 });
    await expectReply(bridge, { createSession: { sessionId: "a" } }, { createSession: { created: true } });
    const full = refusal("TOO_MANY_SESSIONS", { limit: { setting: "max-sessions", limit: "1" } });
    await expectReply(bridge, { createSession: { sessionId: "b" } }, full);
    await expectReply(bridge, set("x", { integer: "1" }), full);
    await expectReply(bridge, { createSession: { sessionId: "a" } }, { createSession: { created: false } });
    await expectReply(bridge, { deleteSession: { sessionId: "a" } }, { deleteSession: {} });
    await expectReply(bridge, set("x", { integer: "1" }), { setVariable: {} });
  });

  test("[VAL-15 accepts] a batch of 1,000 items", async () => {
    const bridge = new JsonBridge();
    const reply = await bridge.send(setMany(1_000));
    expect(Object(reply["setVariables"])["results"]).toHaveLength(1_000);
  });

  test("[VAL-15 refuses] 1,001 items, before the session is looked at", async () => {
    const bridge = new JsonBridge();
    const limit = { setting: "max-items", limit: "1000", actual: "1001" };
    await expectReply(bridge, setMany(1_001), refusal("TOO_MANY_ITEMS", { limit }));
    const definitions = names(1_001).map((name) => definition(name, { integer: "1" }));
    const ensure = { ensureVariables: { sessionId: "s", definitions } };
    await expectReply(bridge, ensure, refusal("TOO_MANY_ITEMS", { limit }));
    await expectReply(bridge, { getSession: { sessionId: "s" } }, refusal("SESSION_NOT_FOUND"));
  });

  test("[VAL-9 accepts] a page has at most 1,000 variables, whatever is asked for", async () => {
    const bridge = new JsonBridge();
    await bridge.send(setMany(1_000));
    await bridge.send(set("z", { integer: "1" }));
    for (const pageSize of [0, 1_001, 4_294_967_295]) {
      const page = Object((await bridge.send(list({ pageSize })))["listVariables"]);
      expect(page.variables).toHaveLength(1_000);
      expect(page.nextPageToken).toBe(names(1_000).at(-1));
      await expectReply(bridge, list({ pageToken: page.nextPageToken }), {
        listVariables: { variables: [{ name: "z" }], nextPageToken: "" },
      });
    }
  });

  test("[VAL-9 accepts] a page ends early when it has grown past 1 MiB, and loses nothing", async () => {
    const bridge = new JsonBridge();
    const all = ["a", "b", "c", "d", "e"];
    for (const name of all) await bridge.send(set(name, { string: name.repeat(MIB / 2) }));
    const seen: string[] = [];
    let token = "";
    let pages = 0;
    do {
      const page = Object((await bridge.send(list({ pageToken: token })))["listVariables"]);
      seen.push(...page.variables.map(({ name }: { name: string }) => name));
      token = page.nextPageToken ?? "";
      pages++;
    } while (token !== "");
    expect(seen).toEqual(all);
    expect(pages).toBeGreaterThan(1);
  });
});

describe("revisions", () => {
  test("[ORD-4 accepts] reads at one revision tell the same incarnation and check", async () => {
    const bridge = new JsonBridge();
    const written = revisionOf(await bridge.send(set("x", { integer: "1" })));
    expect(Buffer.from(String(written["incarnation"]), "base64")).toHaveLength(16);
    for (const command of [get("x"), list({}), { heartbeat: { sessionId: "s" } }]) {
      expect(revisionOf(await bridge.send(command))).toEqual(written);
    }
  });

  test("[ORD-4 accepts] each commit has another check, in the same incarnation", async () => {
    const bridge = new JsonBridge();
    const first = revisionOf(await bridge.send(set("x", { integer: "1" })));
    const second = revisionOf(await bridge.send(set("x", { integer: "1" })));
    expect(second["incarnation"]).toBe(first["incarnation"]);
    expect(second["commitCheck"]).not.toBe(first["commitCheck"]);
  });

  test("[ORD-4 refuses] to give a session that is created again the revisions of the former one", async () => {
    const bridge = new JsonBridge();
    const first = revisionOf(await bridge.send(set("x", { integer: "1" })));
    await bridge.send({ deleteSession: { sessionId: "s" } });
    const second = revisionOf(await bridge.send(set("x", { integer: "1" })));
    expect(second["number"]).toBe(first["number"]);
    expect(second["incarnation"]).not.toBe(first["incarnation"]);
    expect(second["commitCheck"]).not.toBe(first["commitCheck"]);
  });
});

describe("request ids", () => {
  const clientId = Buffer.alloc(16, 7).toString("base64");
  const increment = (sequence: number): JsonObject => ({
    incrementVariable: {
      sessionId: "s",
      identifier: "n",
      by: { integer: "1" },
      onMissing: "ON_MISSING_INFER",
      requestId: { clientId, sequence: String(sequence) },
    },
  });
  const counted = (value: number): JsonObject => ({
    incrementVariable: { item: { value: { integer: String(value) } } },
  });

  test("[ORD-15 accepts] the write that is 1,000 writes old is answered again", async () => {
    const bridge = new JsonBridge();
    for (let i = 1; i <= 1_000; i++) await bridge.send(increment(i));
    await expectReply(bridge, increment(1), counted(1));
    await expectReply(bridge, increment(1_001), counted(1_001));
  });

  test("[ORD-15 refuses] to guess about an older one", async () => {
    const bridge = new JsonBridge();
    for (let i = 1; i <= 1_001; i++) await bridge.send(increment(i));
    await expectReply(bridge, increment(1), refusal("OUTCOME_UNKNOWN"));
    await expectReply(bridge, increment(2), counted(2));
    await expectReply(bridge, get("n"), { getVariable: { variable: { value: { integer: "1001" } } } });
  });
});

describe("deadlines", () => {
  test("[DOOR-1 accepts] a command whose turn comes before its deadline", async () => {
    const bridge = new JsonBridge();
    bridge.clock.advance(1_000);
    const reply = await bridge.send(set("x", { integer: "1" }), 1_001);
    expect(mismatches({ setVariable: { revision: { number: "1" } } }, reply)).toEqual([]);
  });

  test("[DOOR-1 refuses] a command whose deadline has passed, and does not carry it out", async () => {
    const bridge = new JsonBridge();
    bridge.clock.advance(1_000);
    const reply = await bridge.send(set("x", { integer: "1" }), 1_000);
    expect(mismatches(refusal("DEADLINE_EXCEEDED"), reply)).toEqual([]);
    await expectReply(bridge, get("x"), refusal("SESSION_NOT_FOUND"));
  });
});

describe("session ids", () => {
  test("[VAL-8 accepts] the form of a variable's id", async () => {
    const bridge = new JsonBridge();
    await expectReply(
      bridge,
      { createSession: { sessionId: "var_x_1" } },
      { createSession: { created: true } },
    );
  });
});

describe("a command", () => {
  test("[DOOR-2 refuses] without an arm, which no method of a client sends", async () => {
    await expectReply(new JsonBridge(), {}, refusal("INVALID_ARGUMENT"));
  });
});

describe("JSON", () => {
  const value = (content: unknown): JsonObject => set("x", content as JsonObject);
  const nonsense: readonly (readonly [string, unknown])[] = [
    ["an unknown field", value({ integer: "1", unit: "s" })],
    ["two arms", value({ integer: "1", float: 1 })],
    ["a fraction for a whole number", value({ integer: 1.5 })],
    ["an integer above 64 bits", value({ integer: "9223372036854775808" })],
    ["an integer below 64 bits", value({ integer: "-9223372036854775809" })],
    ["text for a number", value({ float: "one" })],
    ["a number for text", value({ string: 1 })],
    ["text for a boolean", value({ boolean: "true" })],
    ["a bare value", value(1)],
    ["an arm of another name", value({ int: "1" })],
    ["a lone surrogate", value({ string: "\ud800" })],
    ["an object for the text of one", value({ json: { a: 1 } })],
    ["null for the text of it", value({ json: null, string: "a", boolean: true })],
    ["an unknown command", { getEverything: {} }],
    ["two commands", { ping: {}, heartbeat: { sessionId: "s" } }],
    ["an enum of another name", { listVariables: { sessionId: "s", type: "FLOAT" } }],
    ["a list for a command", []],
    ["text for a command", "ping"],
  ];
  for (const [what, json] of nonsense) {
    test(`[DOOR-6 refuses] ${what}`, async () => {
      await expect(new JsonBridge().send(json as JsonObject)).rejects.toThrow();
    });
  }
});

function set(identifier: string, value: JsonObject): JsonObject {
  return { setVariable: { sessionId: "s", item: { identifier, value }, onMissing: "ON_MISSING_INFER" } };
}

function setMany(count: number): JsonObject {
  const items = names(count).map((identifier) => ({ identifier, value: { integer: "1" } }));
  return { setVariables: { sessionId: "s", items, atomic: true, onMissing: "ON_MISSING_INFER" } };
}

function definition(name: string, initialValue: JsonObject): JsonObject {
  const arm = Object.keys(initialValue)[0] as string;
  return { name, type: `VARIABLE_TYPE_${arm.toUpperCase()}`, initialValue };
}

function register(name: string, initialValue: JsonObject): JsonObject {
  return {
    registerVariable: {
      sessionId: "s",
      definition: definition(name, initialValue),
      onMissing: "ON_MISSING_INFER",
    },
  };
}

function get(identifier: string): JsonObject {
  return { getVariable: { sessionId: "s", identifier } };
}

function remove(identifier: string): JsonObject {
  return { deleteVariable: { sessionId: "s", identifier } };
}

function list(options: JsonObject): JsonObject {
  return { listVariables: { sessionId: "s", ...options } };
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `v${String(i).padStart(4, "0")}`);
}

function refusal(reason: string, fields: JsonObject = {}): JsonObject {
  return { error: { reason: `ERROR_REASON_${reason}`, ...fields } };
}

function revisionOf(reply: JsonObject): JsonObject {
  return Object(Object.values(reply)[0])["revision"] as JsonObject;
}

async function expectReply(bridge: JsonBridge, command: JsonObject, reply: JsonObject): Promise<void> {
  expect(mismatches(reply, await bridge.send(command))).toEqual([]);
}
