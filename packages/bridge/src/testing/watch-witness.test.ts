/** The witness of watches hears each of them wherever it is told, and finds what is not true. */
import { beforeEach, expect, test } from "vitest";
import { Calls } from "../client/calls.js";
import { localClient } from "../client/local-client.js";
import { LocalTransport } from "../client/transport/local.js";
import { Engine } from "../engine/engine.js";
import { createEngine } from "../server.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { ManualClock } from "./manual-clock.js";
import { Witness } from "./watch-readings.contract.js";
import { overhear } from "./watch-taps.contract.js";
import { noteWatch } from "./watch-witness.contract.js";

/** Nobody makes one of these, so there is nothing to hear of them. */
class NoEngine extends Engine {}
class NoTransport extends LocalTransport {}
class NoCalls extends Calls {}

/** The witnesses that listen, each to all that tells or to a part of it. */
const witnesses = new Map<string, Witness>();
const PARTS = {
  engine: { engine: Engine, transports: [NoTransport], calls: NoCalls, told: 1 },
  transport: { engine: NoEngine, transports: [LocalTransport], calls: NoCalls, told: 1 },
  program: { engine: NoEngine, transports: [LocalTransport], calls: Calls, told: 2 },
  everything: { engine: Engine, transports: [LocalTransport], calls: Calls, told: 3 },
};
for (const [name, part] of Object.entries(PARTS))
  overhear({ stores: [MemoryStore], ...part }, () => witnesses.get(name));

beforeEach(() => {
  for (const name of Object.keys(PARTS)) witnesses.set(name, new Witness());
});

/** A program that watches what it sets. */
async function play(): Promise<void> {
  const clock = new ManualClock();
  const engine = await createEngine({ clock });
  const client = localClient({ engine, clock });
  const session = await client.session("run");
  const watch = session.watch();
  await session.set("a", 1);
  expect(await watch.next()).toMatchObject({ value: { revision: 2 } });
  await client.close();
  await engine.close();
}

test.each(Object.entries(PARTS))("what is told is heard, and found true: %s", async (name, { told }) => {
  await play();
  expect(witnesses.get(name)?.check()).toBe(told);
});

test.each(Object.entries(PARTS))("what is told and did not happen is found: %s", async (name) => {
  await play();
  witnesses.get(name)?.knows("run", []);
  expect(() => witnesses.get(name)?.check()).toThrow();
});

test("a watch cannot be noted down where nobody witnesses", () => {
  expect(() => noteWatch({ sessionId: "run", names: [], passive: false })).toThrow("witnessWatches()");
});
