/** All doors together, as they close. */
import { pino } from "pino";
import { afterEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../core/limits.js";
import { ManualClock } from "../testing/manual-clock.js";
import { SessionService } from "../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { type Doors, openDoors } from "./doors.js";
import { noWatch } from "./grpc/raw-channel.contract.js";
import { RawClient } from "./grpc/raw-client.contract.js";
import { RawSocket } from "./raw-socket.contract.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const REQUEST =
  "POST /snakepit.bridge.v1.SessionService/Ping HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";

/** Doors to an engine that never answers, and how to wait until it was asked. */
async function doorsToSilence(): Promise<{ doors: Doors; asked: Promise<void> }> {
  let asks = (): void => {};
  const asked = new Promise<void>((resolve) => {
    asks = resolve;
  });
  const dispatch = (): Promise<never> => {
    asks();
    return new Promise(() => {});
  };
  const doors = await openDoors({
    engine: { dispatch, watch: noWatch, follow: noWatch, limits: DEFAULT_LIMITS },
    clock: new ManualClock(),
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
  });
  stops.push(() => doors.close(0));
  return { doors, asked };
}

/** Ways to have a call under way. */
const WAYS: readonly [way: string, ask: (doors: Doors) => unknown][] = [
  [
    "HTTP",
    ({ port }) => {
      const socket = new RawSocket(port);
      stops.push(() => socket.close());
      return socket.say(REQUEST);
    },
  ],
  [
    "gRPC",
    ({ address }) => {
      const client = new RawClient(address);
      stops.push(() => client.close());
      void client.refused(SessionService.method.ping, {});
    },
  ],
];

describe.each(WAYS)("doors that close while a call over %s runs", (_, ask) => {
  test("close at once when they are told again, with no grace; and that is heard by whoever has asked before", async () => {
    const { doors, asked } = await doorsToSilence();
    void ask(doors);
    await asked;
    const first = doors.close(3_600_000);
    await expect(Promise.all([first, doors.close(0)])).resolves.toBeDefined();
    await expect(doors.close(3_600_000)).resolves.toBeUndefined();
  });

  test("do not wait for longer because they are told again, with more grace", async () => {
    const { doors, asked } = await doorsToSilence();
    void ask(doors);
    await asked;
    await expect(Promise.all([doors.close(1), doors.close(3_600_000)])).resolves.toBeDefined();
  });
});
