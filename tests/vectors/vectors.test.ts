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
import { tag, untag } from "../tagged.js";
import { JsonBridge } from "./bridge.js";
import { type ClientCase, type EngineCase, type Form, formsIn, type Json, readVectors } from "./files.js";
import { mismatches } from "./match.js";
import { replica } from "./replica.js";
import { ttl } from "./ttl-cache.js";

const engine = readVectors("engine");
const client = readVectors("client");
const ran = { shared: 0, own: 0 };
/** What this language has not, and how many cases are about it. */
const foreign = new Map<Form, number>();

describe("engine", () => {
  // One bridge for all cases that let time stand, as they would meet on a server.
  const shared = new JsonBridge();
  for (const { path, cases } of engine) {
    describe(path, () => {
      for (const one of cases) {
        test(`${one.id} [${one.rule} ${one.verdict}s]`, async () => {
          ran.shared++;
          await runEngine(one, one.needs === "manual-clock" ? new JsonBridge() : shared);
        });
      }
    });
  }
});

describe("client", () => {
  for (const { path, cases } of client) {
    describe(path, () => {
      for (const one of cases) {
        const forms = formsIn(one.input);
        const theirs = forms.find(({ only }) => only !== "typescript");
        if (theirs !== undefined) {
          foreign.set(theirs, (foreign.get(theirs) ?? 0) + 1);
          continue;
        }
        test(`${one.id} [${one.rule} ${one.verdict}s]`, () => {
          ran[forms.length === 0 ? "shared" : "own"]++;
          runClient(one);
        });
      }
    });
  }
});

afterAll(() => {
  const cases = (files: readonly { readonly cases: readonly unknown[] }[]) =>
    files.flatMap(({ cases }) => cases).length;
  const own = client.flatMap(({ cases }) => cases).filter(({ input }) => formsIn(input).length > 0).length;
  const shared = cases(engine) + cases(client) - own;
  console.log(
    `vectors: typescript ran ${ran.shared} of the ${shared} that every client runs, and ${ran.own} of its own`,
  );
  for (const [{ tag, why }, count] of foreign)
    console.log(`vectors: typescript has no ${tag}, which ${count} are about: ${why}`);
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
  expect(OPERATIONS[op](input), why).toEqual(expected["typescript"] ?? expected);
}

const OPERATIONS: Readonly<Record<ClientCase["op"], (input: Json) => Json>> = {
  encode,
  decode,
  error,
  fingerprint,
  replica,
  ttl,
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

function unknown(what: string): never {
  throw new Error(`this runner does not know ${what}`);
}
