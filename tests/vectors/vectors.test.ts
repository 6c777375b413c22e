/** Runs the vectors of `spec/` in TypeScript: those of the engine in process, those of clients against ours. */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { afterAll, describe, expect, test } from "vitest";
import { fingerprintOf } from "../../packages/bridge/src/cli/fingerprint.js";
import { fromLiteral, toLiteral } from "../../packages/bridge/src/client/values.js";
import { BridgeError, errorFor } from "../../packages/bridge/src/core/errors.js";
import { REASONS, type Reason, Refusal } from "../../packages/bridge/src/core/refusal.js";
import { type TypeName, valueType } from "../../packages/bridge/src/core/values/registry.js";
import { codeOf } from "../../packages/bridge/src/wire/errors.js";
import {
  DefinitionSchema,
  ValueSchema,
} from "../../packages/bridge/src/wire/gen/snakepit/bridge/v1/values_pb.js";
import {
  definitionFromProto,
  literalFromProto,
  literalToProto,
} from "../../packages/bridge/src/wire/values.js";
import { JsonBridge } from "./bridge.js";
import { type ClientCase, type EngineCase, type Json, type JsonObject, readVectors } from "./files.js";
import { mismatches } from "./match.js";

const engine = readVectors("engine");
const client = readVectors("client");
const all = [...engine, ...client].flatMap(({ cases }): readonly (EngineCase | ClientCase)[] => cases);
let ran = 0;

describe("engine", () => {
  // One bridge for all cases that let time stand, as they would meet on a server.
  const shared = new JsonBridge();
  for (const { path, cases } of engine) {
    describe(path, () => {
      for (const one of cases.filter(({ only }) => only !== "python")) {
        test(`${one.id} [${one.rule} ${one.verdict}s]`, async () => {
          ran++;
          await runEngine(one, one.needs === "manual-clock" ? new JsonBridge() : shared);
        });
      }
    });
  }
});

describe("client", () => {
  for (const { path, cases } of client) {
    describe(path, () => {
      for (const one of cases.filter(({ only }) => only !== "python")) {
        test(`${one.id} [${one.rule} ${one.verdict}s]`, () => {
          ran++;
          runClient(one);
        });
      }
    });
  }
});

afterAll(() => {
  const others = all.filter(({ only }) => only === "python").length;
  console.log(`vectors: typescript ran ${ran} of ${all.length} (${others} are for Python only)`);
});

async function runEngine({ why, steps }: EngineCase, bridge: JsonBridge): Promise<void> {
  for (const [i, step] of steps.entries()) {
    if ("advanceMs" in step) {
      bridge.clock.advance(step.advanceMs);
      continue;
    }
    const reply = await bridge.send(step.command);
    const faults = mismatches(step.reply, reply);
    if (faults.length === 0) continue;
    const sent = JSON.stringify(step.command).slice(0, 400);
    expect.fail(`step ${i + 1} of ${steps.length} (${why})\n${faults.join("\n")}\nsent ${sent}`);
  }
}

function runClient({ op, input, expect: expected, why }: ClientCase): void {
  expect(OPERATIONS[op](input), why).toEqual(expected);
}

const OPERATIONS: Readonly<Record<ClientCase["op"], (input: Json) => Json>> = {
  encode,
  decode,
  error,
  fingerprint,
};

function encode(input: Json): Json {
  try {
    const value = literalToProto(toLiteral(untag(input), "x"));
    return { value: toJson(ValueSchema, value) as Json };
  } catch (error) {
    if (error instanceof BridgeError) return { error: error.reason };
    throw error;
  }
}

function decode(input: Json): Json {
  const literal = literalFromProto(fromJson(ValueSchema, input as never));
  if (literal.kind === "unknown") throw new Error("a vector of decode has no value");
  return tag(fromLiteral(literal));
}

function error(input: Json): Json {
  const reason = REASONS.find((known) => known === input) ?? unknown(`the reason ${input}`);
  const { name, retryable } = errorFor(reason as Reason, "");
  return { class: name, retryable, code: codeOf(reason) };
}

function fingerprint(input: Json): Json {
  const variables = (input as Json[]).map((each) => {
    const definition = definitionFromProto(fromJson(DefinitionSchema, each as never));
    const type = definition.type as TypeName;
    const limits = valueType(type).limits(definition.constraints);
    if (limits instanceof Refusal) throw new Error(limits.message);
    return { name: definition.name, type, constraints: limits.constraints };
  });
  return { fingerprint: fingerprintOf(variables) };
}

/** The value of JavaScript that a tagged value means. */
function untag(tagged: Json): unknown {
  const [[name, content] = unknown("a tag")] = Object.entries(tagged as JsonObject);
  switch (name) {
    case "number":
    case "float":
      return Number(content);
    case "bigint":
      return BigInt(content as string);
    case "str":
    case "bool":
    case "null":
      return content;
    case "undefined":
      return undefined;
    case "list":
      return (content as Json[]).map(untag);
    case "dict":
      // Which defines its keys, so that none of them can reach the prototype.
      return Object.fromEntries((content as [string, Json][]).map(([key, item]) => [key, untag(item)]));
    case "nested":
      return Array.from({ length: (content as number) - 1 }).reduce<unknown[]>((inside) => [inside], []);
    case "bytes":
      return Uint8Array.from(Buffer.from(content as string, "hex"));
    default:
      return unknown(`the tag ${name}`);
  }
}

function tag(value: unknown): Json {
  switch (typeof value) {
    case "number":
      return { number: Object.is(value, -0) ? "-0" : String(value) };
    case "bigint":
      return { bigint: String(value) };
    case "string":
      return { str: value };
    case "boolean":
      return { bool: value };
    case "object":
      if (value === null) return { null: null };
      if (Array.isArray(value)) return { list: value.map(tag) };
      return { dict: Object.entries(value).map(([key, item]) => [key, tag(item)]) };
    default:
      return unknown(`a ${typeof value}`);
  }
}

function unknown(what: string): never {
  throw new Error(`this runner does not know ${what}`);
}
