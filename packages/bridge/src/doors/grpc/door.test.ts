import { status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import type { Command, Reply } from "../../core/commands.js";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { Refusal } from "../../core/refusal.js";
import { StoreError } from "../../engine/store-error.js";
import { type Bridge, type BridgeOptions, startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { SessionService } from "../../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { OnMissing, VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import type { DoorContext } from "../answering.js";
import { type Doors, openDoors } from "../doors.js";
import { noWatch } from "./raw-channel.contract.js";
import { RawClient } from "./raw-client.contract.js";

const { ping, getSession } = SessionService.method;
const { setVariable, setVariables, getVariable, getVariables } = VariableService.method;

const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const thing of open.splice(0).reverse()) await thing.close();
});

async function bridgeAndClient(options: BridgeOptions = {}): Promise<{ bridge: Bridge; client: RawClient }> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, ...options });
  const client = new RawClient(bridge.address);
  open.push(bridge, client);
  return { bridge, client };
}

/** A door to an engine that does what the test says. */
async function doorTo(
  dispatch: DoorContext["engine"]["dispatch"],
  options: Partial<DoorContext> = {},
): Promise<{ door: Doors; client: RawClient }> {
  const door = await openDoors({
    engine: { dispatch, watch: noWatch, follow: noWatch, limits: DEFAULT_LIMITS },
    clock: new ManualClock(),
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
    ...options,
  });
  const client = new RawClient(door.address);
  open.push({ close: () => door.close(0) }, client);
  return { door, client };
}

/** An engine that answers when it is let. */
function gate() {
  let enter = (): void => {};
  let letGo = (): void => {};
  const entered = new Promise<void>((resolve) => {
    enter = resolve;
  });
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const dispatch = async (): Promise<Reply> => {
    enter();
    await free;
    return { kind: "ping", message: "late", serverTimeMs: 0, serverVersion: "0" };
  };
  return { dispatch, entered, letGo };
}

const number = (value: number) => ({ kind: { case: "number" as const, value } });
const string = (value: string) => ({ kind: { case: "string" as const, value } });
const infer = { sessionId: "s", onMissing: OnMissing.INFER };

describe("a call", () => {
  test("reaches the engine and is answered", async () => {
    const { client } = await bridgeAndClient();
    const written = await client.ok(setVariable, { ...infer, item: { identifier: "x", value: number(1) } });
    expect(written).toMatchObject({ item: { version: 1n, value: { kind: { case: "float", value: 1 } } } });
    const read = await client.ok(getVariable, { sessionId: "s", identifier: "x" });
    expect(read).toMatchObject({ variable: { name: "x", version: 1n }, revision: written.revision });
    expect(await client.ok(ping, { message: "héllo" })).toMatchObject({ message: "héllo" });
  });

  test("of an unknown method is UNIMPLEMENTED", async () => {
    const { client } = await bridgeAndClient();
    expect(await client.send("/snakepit.bridge.v1.SessionService/Nope", new Uint8Array())).toMatchObject({
      code: status.UNIMPLEMENTED,
    });
  });

  test("whose caller goes away while it runs hurts nobody", async () => {
    const { dispatch, entered, letGo } = gate();
    const { client } = await doorTo(dispatch);
    const cancelled = client.refused(ping, {}, { onCall: (call) => void entered.then(() => call.cancel()) });
    expect(await cancelled).toMatchObject({ code: status.CANCELLED });
    letGo();
    expect(await client.ok(ping, {})).toMatchObject({ message: "late" });
  });
});

describe("deadlines", () => {
  test("are told to the engine on its own clock", async () => {
    const heard: (number | undefined)[] = [];
    const { client } = await doorTo(
      async (_, __, deadline) => {
        heard.push(deadline);
        return new Refusal("INTERNAL", "heard");
      },
      { clock: new ManualClock({ now: 1_000_000 }) },
    );
    await client.refused(ping, {});
    await client.refused(ping, {}, { deadline: Date.now() + 60_000 });
    expect(heard[0]).toBeUndefined();
    expect(heard[1]).toBeGreaterThan(1_030_000);
    expect(heard[1]).toBeLessThanOrEqual(1_060_000);
  });

  test("[DOOR-1 refuses] a command whose turn comes too late is not carried out, and the reason says so", async () => {
    const clock = new ManualClock();
    const now = (): number => {
      clock.advance(100_000);
      return clock.now();
    };
    const late = { ...clockOf(clock), now };
    const { bridge, client } = await bridgeAndClient({ clock: late, defaultTtlMs: 0 });
    const item = { identifier: "x", value: number(1) };
    const answer = await client.refused(setVariable, { ...infer, item }, { deadline: Date.now() + 60_000 });
    expect(answer).toMatchObject({
      code: status.DEADLINE_EXCEEDED,
      refusal: { reason: "DEADLINE_EXCEEDED" },
    });
    const command: Command = { kind: "getSession", sessionId: "s" };
    expect(await bridge.engine.dispatch({ name: "test" }, command)).toMatchObject({
      reason: "SESSION_NOT_FOUND",
    });
  });
});

describe("sizes", () => {
  test("a request over the limit is RESOURCE_EXHAUSTED, and the connection goes on", async () => {
    const { client } = await bridgeAndClient({ limits: { maxMessageBytes: 10_000 } });
    const item = (length: number) => ({ identifier: "x", value: string("x".repeat(length)) });
    const answer = await client.refused(setVariable, { ...infer, item: item(10_000) });
    expect(answer).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await client.ok(setVariable, { ...infer, item: item(9_000) })).toMatchObject({
      item: { version: 1n },
    });
  });

  test("so is one that is small only while it is compressed", async () => {
    const { bridge } = await bridgeAndClient();
    const client = new RawClient(bridge.address, { "grpc.default_compression_algorithm": 2 });
    open.push(client);
    const answer = await client.refused(ping, { message: "a".repeat(32_000_000) });
    expect(answer).toMatchObject({ code: status.RESOURCE_EXHAUSTED });
    expect(await client.ok(ping, { message: "a" })).toMatchObject({ message: "a" });
  });

  test("an answer over the limit says to ask for less", async () => {
    const { client } = await bridgeAndClient({ limits: { maxMessageBytes: 3_000 } });
    const identifiers = Array.from({ length: 50 }, (_, i) => `x${i}`);
    const items = identifiers.map((identifier) => ({ identifier, value: number(1) }));
    await client.ok(setVariables, { ...infer, items });
    expect(await client.refused(getVariables, { sessionId: "s", identifiers })).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: expect.stringMatching(/ask for fewer names$/),
      refusal: { reason: "TOO_LARGE", details: { limit: { setting: "max-message-bytes", limit: 3_000 } } },
    });
    expect(
      await client.ok(getVariables, { sessionId: "s", identifiers: identifiers.slice(0, 10) }),
    ).toMatchObject({
      found: { length: 10 },
    });
  });

  test("an answer that the engine did not expect to be that large is stopped at the door", async () => {
    const missing = Array.from({ length: 500_000 }, (_, i) => `x${i}`);
    const revision = { incarnation: "", number: 0, check: 0n };
    const { client } = await doorTo(async () => ({ kind: "getVariables", found: [], missing, revision }));
    expect(await client.refused(getVariables, {})).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      message: expect.stringMatching(/^the answer takes \d+ bytes, more than 4194304; ask for fewer names$/),
      refusal: { reason: "TOO_LARGE", details: { limit: { setting: "max-message-bytes" } } },
    });
  });

  test("a write whose answer is over the limit was carried out, and the answer does not deny it", async () => {
    const { client } = await bridgeAndClient({ limits: { maxMessageBytes: 3_000 } });
    await client.ok(setVariable, { ...infer, item: { identifier: "x", value: number(1) } });
    const missing = Array.from({ length: 90 }, (_, i) => ({ identifier: `y${i}`, value: number(1) }));
    const items = [{ identifier: "x", value: number(2) }, ...missing];
    expect(await client.refused(setVariables, { sessionId: "s", items })).toMatchObject({
      code: status.ABORTED,
      refusal: { reason: "OUTCOME_UNKNOWN", message: expect.stringMatching(/carried out/) },
    });
    const read = await client.ok(getVariable, { sessionId: "s", identifier: "x" });
    expect(read).toMatchObject({ variable: { version: 2n } });
  });

  test("a thousand items are taken, ten thousand are too many, and both are answered", async () => {
    const { client } = await bridgeAndClient();
    const items = Array.from({ length: 10_000 }, (_, i) => ({ identifier: `x${i}`, value: number(i) }));
    expect(await client.refused(setVariables, { ...infer, items, atomic: true })).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      refusal: { reason: "TOO_MANY_ITEMS", details: { limit: { setting: "max-items", actual: 10_000 } } },
    });
    const thousand = await client.ok(setVariables, { ...infer, items: items.slice(0, 1_000), atomic: true });
    expect(thousand).toMatchObject({ results: { length: 1_000 }, revision: { number: 1n } });
  });
});

describe("a store that has failed", () => {
  const write = { ...infer, item: { identifier: "x", value: number(1) } };

  test("leaves the outcome of a write open that it may have been handed", async () => {
    const { client } = await doorTo(() => Promise.reject(new StoreError("secret detail", { begun: true })));
    expect(await client.refused(setVariable, write)).toMatchObject({
      refusal: { reason: "OUTCOME_UNKNOWN" },
      message: "the store of the bridge has failed; the write may have been carried out",
    });
  });

  test("did nothing of a read, nor of what came later, and another bridge may be asked", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
    for (const begun of [true, false]) {
      const { client } = await doorTo(() => Promise.reject(new StoreError("secret detail", { begun })), {
        logger,
      });
      const answers = [await client.refused(ping, {})];
      if (!begun) answers.push(await client.refused(setVariable, write));
      for (const answer of answers) {
        expect(answer).toMatchObject({
          code: status.UNAVAILABLE,
          refusal: { reason: "SHUTTING_DOWN" },
          message: "the store of the bridge has failed; nothing was done",
        });
      }
    }
    // The bridge says once what has happened to its store; its callers say nothing new.
    expect(lines).toEqual([]);
  });
});

describe("a bug", () => {
  test("is told as an id, and only the log has the rest", async () => {
    const lines: string[] = [];
    const logger = pino({ level: "debug" }, { write: (line) => void lines.push(line) });
    const { client } = await doorTo(() => Promise.reject(new Error("secret detail")), { logger });
    const answer = await client.refused(ping, {});
    expect(answer).toMatchObject({ code: status.INTERNAL, refusal: { reason: "INTERNAL" } });
    expect(answer.message).toMatch(/^a bug in the bridge; the log has the details \(id [0-9a-f-]{36}\)$/);
    const error = lines.map((line) => JSON.parse(line)).find(({ level }) => level === 50);
    expect(answer.message).toContain(error.id);
    expect(error.err).toMatchObject({ message: "secret detail", stack: expect.stringMatching(/door\.test/) });
  });

  test("in a write is not told as if nothing had been done", async () => {
    const { client } = await doorTo(() => Promise.reject(new Error("secret detail")));
    const answer = await client.refused(setVariable, {
      ...infer,
      item: { identifier: "x", value: number(1) },
    });
    expect(answer).toMatchObject({ code: status.ABORTED, refusal: { reason: "OUTCOME_UNKNOWN" } });
    expect(answer.message).toMatch(
      /^the write may have been carried out: a bug in the bridge; .*\(id [0-9a-f-]{36}\)$/,
    );
  });

  test("in an answer that cannot be encoded is told the same way", async () => {
    const { client } = await doorTo(async () => ({ kind: "ping" }) as Reply);
    expect(await client.refused(ping, {})).toMatchObject({
      code: status.INTERNAL,
      refusal: { reason: "INTERNAL" },
    });
  });
});

test("the log tells how values were decoded, and never what they are", async () => {
  const lines: string[] = [];
  const logger = pino({ level: "debug" }, { write: (line) => void lines.push(line) });
  const { client } = await bridgeAndClient({ logger });
  await client.ok(setVariable, { ...infer, item: { identifier: "x", value: string("sécret") } });
  await client.refused(setVariable, { ...infer, item: { identifier: "x", value: number(12345.678) } });
  await client.ok(getVariable, { sessionId: "s", identifier: "x" });
  const calls = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "call");
  expect(calls).toEqual([
    expect.objectContaining({ method: "SetVariable", values: ["string 7"], kept: ["string"], code: "OK" }),
    expect.objectContaining({ values: ["number"], reason: "TYPE_MISMATCH", code: "FAILED_PRECONDITION" }),
    expect.objectContaining({ method: "GetVariable", session: "s", revision: 1, ms: expect.any(Number) }),
  ]);
  expect(lines.join("")).not.toMatch(/sécret|12345/);
});

describe("closing", () => {
  test("lets a running call end, and takes no other", async () => {
    const { dispatch, entered, letGo } = gate();
    const { door, client } = await doorTo(dispatch);
    const running = client.ok(ping, {});
    await entered;
    const closed = door.close(60_000);
    const other = new RawClient(door.address);
    open.push(other);
    expect(await other.refused(ping, {})).toMatchObject({ code: status.UNAVAILABLE });
    letGo();
    expect(await running).toMatchObject({ message: "late" });
    await closed;
  });

  test("cuts a call off that does not end in time", async () => {
    const { dispatch, entered } = gate();
    const { door, client } = await doorTo(dispatch);
    const running = client.refused(ping, {});
    await entered;
    await door.close(1);
    expect([status.CANCELLED, status.UNAVAILABLE]).toContain((await running).code);
  });

  test("is done once, however often it is asked for", async () => {
    const { bridge } = await bridgeAndClient();
    await Promise.all([bridge.close(), bridge.close()]);
    await bridge.close();
  });

  test("[DOOR-11 accepts] an engine that has closed says so", async () => {
    const { bridge, client } = await bridgeAndClient();
    await bridge.engine.close();
    expect(await client.refused(getSession, { sessionId: "s" })).toMatchObject({
      code: status.UNAVAILABLE,
      refusal: { reason: "SHUTTING_DOWN" },
    });
  });
});

function clockOf(clock: ManualClock) {
  return {
    wallTime: () => clock.wallTime(),
    setTimer: (ms: number, fire: () => void) => clock.setTimer(ms, fire),
  };
}
