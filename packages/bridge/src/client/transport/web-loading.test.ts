/** A stream of which a bridge says for a while only that it is there, since it still reads the session. */
import { afterEach, expect, test } from "vitest";
import type { BridgeError } from "../../core/errors.js";
import type { StateUpdate } from "../../core/state-update.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { enveloped } from "../../wire/connect.js";
import { updateBytes } from "../../wire/state-codecs.js";
import { WatchedClock } from "./accidents.contract.js";
import { WebTransport } from "./web.js";
import { HttpAccidentServer, streaming } from "./web-accidents.contract.js";

witnessWatches();

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

test("it is not given up meanwhile, and is told nothing before the first that there is", async () => {
  const clock = new WatchedClock();
  const sign = enveloped(0, new Uint8Array());
  const server = await HttpAccidentServer.start(streaming([sign], false));
  const transport = new WebTransport(server.url, { clock, random: () => 0 });
  stops.push(
    () => transport.close(),
    () => server.close(),
  );
  const told: StateUpdate[] = [];
  const ended: BridgeError[] = [];
  transport.follow(
    { sessionId: "s", passive: false },
    { updated: (update) => void told.push(update), ended: (error) => void ended.push(error) },
  );
  await server.received(1);
  for (let i = 0; i < 5; i++) {
    for (let second = 0; second < 2; second++) await clock.pass(1_000);
    server.requests[0]?.response.write(sign);
    // Sent before this was asked, it has come when this is answered, or soon after.
    await fetch(`${server.url}/snakepit.bridge.v1.SessionService/Ping`, { method: "POST" });
  }
  const revision = { incarnation: "ab".repeat(16), number: 1, check: 1n };
  const update = { revision, changed: [], deleted: [], more: false };
  server.requests[0]?.response.write(enveloped(0, updateBytes(update)));
  while (told.length + ended.length === 0) await new Promise(setImmediate);
  expect(ended).toEqual([]);
  expect(told).toEqual([update]);
});
