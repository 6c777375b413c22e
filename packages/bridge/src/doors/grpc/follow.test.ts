/** Following the state of a session by a stream of its own, as any client of gRPC can. */
import { Client, type ClientReadableStream, credentials, type StatusObject, status } from "@grpc/grpc-js";
import { afterEach, expect, test } from "vitest";
import type { Follow, StateUpdate } from "../../core/state-update.js";
import { type Bridge, startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { followBytes, updateFromBytes } from "../../wire/channel.js";
import { VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import { pathOf } from "../../wire/paths.js";
import { refusalFromDetails } from "../../wire/status.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const clock = new ManualClock();

async function start(): Promise<Bridge> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 60_000, clock });
  stops.push(() => bridge.close());
  return bridge;
}

function follow(bridge: Bridge, asked: Partial<Follow> | Uint8Array) {
  const client = new Client(bridge.address, credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
  });
  const bytes =
    asked instanceof Uint8Array ? asked : followBytes({ sessionId: "s", passive: false, ...asked });
  const asIs = (buffer: Buffer): Buffer => buffer;
  const stream: ClientReadableStream<Buffer> = client.makeServerStreamRequest(
    pathOf(VariableService.method.follow),
    asIs,
    asIs,
    Buffer.from(bytes),
  );
  stops.push(() => {
    stream.cancel();
    client.close();
  });
  const updates: StateUpdate[] = [];
  stream.on("data", (message: Buffer) => updates.push(updateFromBytes(message)));
  stream.on("error", () => {});
  const ended = new Promise<StatusObject>((resolve) => stream.on("status", resolve));
  const until = async (count: number): Promise<void> => {
    while (updates.length < count) await new Promise(setImmediate);
  };
  return { updates, ended, until };
}

test("tells the whole session, each step from there, and that it stands still, until the bridge goes away", async () => {
  const bridge = await start();
  const session = await bridge.session("s");
  await session.set("a", 1);
  const { updates, ended, until } = follow(bridge, {});
  await until(1);
  await session.set("b", 2);
  await until(2);
  clock.advance(1_000);
  clock.advance(1_000);
  await until(3);
  expect(updates).toMatchObject([
    { revision: { number: 2 }, changed: [{ name: "a", value: 1 }], more: false },
    { base: { number: 2 }, revision: { number: 3 }, changed: [{ name: "b", value: 2 }] },
    { base: { number: 3 }, revision: { number: 3 }, changed: [] },
  ]);
  expect(updates[0]).not.toHaveProperty("base");
  await bridge.close();
  const { code, metadata } = await ended;
  const [details] = metadata.get("grpc-status-details-bin");
  expect(code).toBe(status.UNAVAILABLE);
  expect(refusalFromDetails(details as Buffer)).toMatchObject({ reason: "SHUTTING_DOWN" });
});

test("goes on from where its reader stands", async () => {
  const bridge = await start();
  const session = await bridge.session("s");
  const first = follow(bridge, {});
  await first.until(1);
  await session.set("a", 1);
  const after = first.updates[0]?.revision;
  const second = follow(bridge, after === undefined ? {} : { after });
  await second.until(1);
  expect(second.updates).toMatchObject([{ base: after, changed: [{ name: "a" }] }]);
});

test.each([
  ["no bytes of a request", Uint8Array.of(255)],
  ["a name that is none", { sessionId: "" }],
])("refuses %s", async (_, asked) => {
  const { ended } = follow(await start(), asked);
  expect(await ended).toMatchObject({ code: status.INVALID_ARGUMENT });
});
