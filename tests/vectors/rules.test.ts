/** Every rule in force has cases, and every case belongs to a rule. */
import { describe, expect, test } from "vitest";
import {
  type EngineCase,
  type Json,
  type JsonObject,
  readRules,
  readSpec,
  readTags,
  readVectors,
  vectorPaths,
} from "./files.js";
import { schemaFaults } from "./schema.js";

const rules = readRules();
const known = new Set(rules.map(({ id }) => id));
const engine = readVectors("engine");
const client = readVectors("client");
const cases = [...engine, ...client].flatMap(({ path, cases }) => cases.map((one) => ({ path, ...one })));
const tags = readTags();

describe("the rules", () => {
  test("each id stands once", () => {
    expect(repeated(rules.map(({ id }) => id))).toEqual([]);
  });

  test("every rule in force has an accepting and a refusing case", () => {
    const shown = new Set([...cases, ...tags].map(({ rule, verdict }) => `${rule} ${verdict}s`));
    const missing = rules
      .filter(({ planned }) => !planned)
      .flatMap(({ id }) => [`${id} accepts`, `${id} refuses`])
      .filter((wanted) => !shown.has(wanted));
    expect(missing, "add a vector, or tag the title of a test with each of these in brackets").toEqual([]);
  });

  test("every tag names a rule", () => {
    expect(tags.filter(({ rule }) => !known.has(rule))).toEqual([]);
  });
});

describe("the vectors", () => {
  test("every case names a rule", () => {
    expect(cases.filter(({ rule }) => !known.has(rule)).map(({ id, rule }) => `${id}: ${rule}`)).toEqual([]);
  });

  test("each id stands once", () => {
    expect(repeated(cases.map(({ id }) => id))).toEqual([]);
  });

  test("every file is of a kind that is run", () => {
    const read = new Set([...engine, ...client].map(({ path }) => path));
    expect(vectorPaths().filter((path) => !read.has(path))).toEqual([]);
  });

  test("the sessions of a case start with its id", () => {
    expect(engine.flatMap(({ cases }) => cases.flatMap(strangeSessions))).toEqual([]);
  });

  test("cases that move the clock say that they need it", () => {
    const moving = engine.flatMap(({ cases }) =>
      cases.filter(
        ({ steps, needs }) => steps.some((step) => "advanceMs" in step) && needs !== "manual-clock",
      ),
    );
    expect(moving.map(({ id }) => id)).toEqual([]);
  });

  test("a refusing case of the engine expects a refusal, or that nothing was done", () => {
    const mild = engine.flatMap(({ cases }) =>
      cases.filter(
        ({ verdict, steps }) => verdict === "refuse" && !steps.some((step) => expectsRefusal(step)),
      ),
    );
    expect(mild.map(({ id }) => id)).toEqual([]);
  });

  const schema = readSpec("vector.schema.json").json;
  for (const path of vectorPaths()) {
    test(`${path} is ASCII and fits the schema`, () => {
      const { text, json } = readSpec(`vectors/${path}`);
      expect(text).toMatch(/^[\x20-\x7e\n]*$/);
      expect(schemaFaults(schema, json)).toEqual([]);
    });
  }
});

function repeated(ids: readonly string[]): string[] {
  return ids.filter((id, i) => ids.indexOf(id) !== i);
}

/** Sessions of a case that another case could meet. An id that is refused meets nobody. */
function strangeSessions({ id, steps }: EngineCase): string[] {
  return steps.flatMap((step) => {
    if (!("command" in step) || reasonOf(step.reply) === "ERROR_REASON_INVALID_NAME") return [];
    return Object.values(step.command)
      .map((request) => request as JsonObject)
      .filter(({ sessionId }) => typeof sessionId === "string" && !sessionId.startsWith(id))
      .map(({ sessionId }) => `${id}: ${sessionId}`);
  });
}

function reasonOf(reply: JsonObject): Json | undefined {
  return (reply["error"] as JsonObject | undefined)?.["reason"];
}

function expectsRefusal(step: EngineCase["steps"][number]): boolean {
  return "command" in step && JSON.stringify(step.reply).includes('"ERROR_REASON_');
}
