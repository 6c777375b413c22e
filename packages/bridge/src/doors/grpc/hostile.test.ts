import { status } from "@grpc/grpc-js";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Command } from "../../core/commands.js";
import { Refusal } from "../../core/refusal.js";
import { type Bridge, startBridge } from "../../server.js";
import { command } from "../../wire/arbitraries.contract.js";
import { encode } from "../../wire/bytes.js";
import { codecOf } from "../../wire/commands.js";
import { Health } from "../../wire/gen/grpc/health/v1/health_pb.js";
import { SessionService } from "../../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableType } from "../../wire/gen/snakepit/bridge/v1/values_pb.js";
import { OnMissing, VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import { pathOf, RawClient } from "./raw-client.contract.js";

const METHODS = [...SessionService.methods, ...VariableService.methods];

let bridge: Bridge;
let client: RawClient;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, limits: { maxSessions: 1_000 } });
  client = new RawClient(bridge.address);
});

afterAll(async () => {
  client.close();
  await bridge.close();
});

/** What a caller may be told. INTERNAL would be a bug of ours, UNKNOWN one that got past the handler. */
const DOCUMENTED = new Set([
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
]);

function requestBytes(sent: Command): { path: string; bytes: Uint8Array } {
  const method = METHODS.find(({ localName }) => localName === sent.kind);
  if (method === undefined) throw new Error(sent.kind);
  const request = codecOf(sent.kind).request(sent as never);
  return { path: pathOf(method.parent, method.name), bytes: encode(method.input, request) };
}

const edit = fc.record({ at: fc.nat(2_000), remove: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) });

test("any bytes to any method are answered with a code that is documented", async () => {
  const anything = fc.record({
    path: fc.constantFrom(...METHODS.map(({ parent, name }) => pathOf(parent, name))),
    bytes: fc.uint8Array({ maxLength: 200 }),
  });
  const nearly = fc
    .tuple(command.map(requestBytes), fc.array(edit, { maxLength: 3 }))
    .map(([frame, edits]) => {
      const bytes = [...frame.bytes];
      for (const { at, remove, put } of edits) bytes.splice(at % (bytes.length + 1), remove, ...put);
      return { path: frame.path, bytes: Uint8Array.from(bytes) };
    });
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, nearly), async ({ path, bytes }) => {
      const outcome = await client.send(path, bytes);
      expect(DOCUMENTED, `${outcome.code}: ${outcome.message}`).toContain(outcome.code);
      if (outcome.code !== status.OK) expect(outcome.refusal).toBeInstanceOf(Refusal);
      expect(outcome.message).not.toMatch(/a bug in the bridge/);
    }),
    { numRuns: 400 },
  );
  expect(await client.ok(SessionService.method.ping, { message: "alive" })).toMatchObject({
    message: "alive",
  });
});

test("JSON made to be hard is taken or refused by its rules, and the bridge goes on [VAL-18]", async () => {
  const roomy = await startBridge({
    port: 0,
    logger: "silent",
    graceMs: 0,
    limits: { maxValueBytes: 16_777_216, maxMessageBytes: 33_554_432 },
  });
  const sender = new RawClient(roomy.address, { "grpc.max_receive_message_length": -1 });
  const { registerVariable, setVariable } = VariableService.method;
  const kind = { case: "json" as const, value: "{}" };
  await sender.ok(registerVariable, {
    sessionId: "s",
    definition: { name: "x", type: VariableType.JSON, initialValue: { kind } },
    onMissing: OnMissing.INFER,
  });
  const keys = (count: number): string => Array.from({ length: count }, (_, i) => `"k${i}":0`).join(",");
  const texts: [text: string, problem: string | undefined][] = [
    ["[".repeat(200_000), "character 64: nested deeper than 64"],
    ['{"a":'.repeat(200_000), "character 320: nested deeper than 64"],
    [`[${"[".repeat(200_000)}`, "character 64: nested deeper than 64"],
    [`{${keys(1_000_000)}}`, undefined],
    [`{${keys(1_000_000)},"\\u006b0":0}`, 'the key "k0" stands twice in its object'],
    [`{${'"\\u0000":0,'.repeat(2)}"a":0}`, 'the key "\\u0000" stands twice in its object'],
    ['{"\\u0000":{"\\u0000\\u0000":"\\u0000"}}', undefined],
    [`[${"[],".repeat(500_000)}0]`, undefined],
    ["9".repeat(10_000), "beyond 2^53 − 1"],
    [`-0.${"9".repeat(10_000)}e-9`, undefined],
    [`1e${"9".repeat(10_000)}`, "beyond what a double holds"],
    [`"${"\\ud83d\\ude00".repeat(300_000)}"`, undefined],
    [`"${"\\ud83d\\ude00".repeat(300_000)}\\ud83d"`, "U+D83D is half of a surrogate pair"],
    [" ".repeat(4_000_000), "character 4000000: the text ends too early"],
    ['{"__proto__":{"__proto__":[]},"constructor":{"prototype":{}}}', undefined],
  ];
  let version = 1n;
  for (const [text, problem] of texts) {
    const value = { kind: { case: "json" as const, value: text } };
    const request = { sessionId: "s", item: { identifier: "x", value } };
    if (problem === undefined) {
      expect((await sender.ok(setVariable, request)).item).toMatchObject({ version: ++version, value });
    } else {
      const { refusal } = await sender.refused(setVariable, request);
      expect(refusal).toMatchObject({ reason: "INVALID_VALUE", message: expect.stringContaining(problem) });
    }
  }
  sender.close();
  await roomy.close();
}, 60_000);

test("any bytes to the health service are answered", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 50 }), async (bytes) => {
      const { code } = await client.send(pathOf(Health, "Check"), bytes);
      expect([status.OK, status.NOT_FOUND, status.INVALID_ARGUMENT]).toContain(code);
    }),
    { numRuns: 50 },
  );
});
