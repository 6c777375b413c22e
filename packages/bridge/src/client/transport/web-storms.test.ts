/**
 * Copies of a page whose bridge does not tell them anything (decision 0017): each is a stream of its own, and they must not wake each
 * other. Time passes only when nothing is under way, so an attempt that nobody has rested for is one too many.
 */
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Revision } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import type { Follow, StateUpdate } from "../../core/state-update.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { enveloped } from "../../wire/connect.js";
import { updateBytes } from "../../wire/state-codecs.js";
import { Following } from "../following.js";
import { deadPort } from "./accidents.contract.js";
import type { FollowReader } from "./transport.js";
import { MOST_STREAMS, WebTransport } from "./web.js";
import { body, type HttpAccident, HttpAccidentServer, refuse, streaming } from "./web-accidents.contract.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const AT: Revision = { incarnation: "cd".repeat(16), number: 1, check: 1n };
const STANDS = enveloped(0, updateBytes({ revision: AT, changed: [], deleted: [], more: false }));
const GOES_ON = enveloped(0, updateBytes({ base: AT, revision: AT, changed: [], deleted: [], more: false }));
const BAD_GATEWAY = body(502, "bad gateway", "text/plain");

/** What is at the address. */
async function serve(accident: HttpAccident, ping?: HttpAccident): Promise<string> {
  const server = await HttpAccidentServer.start(accident);
  if (ping !== undefined) server.ping = ping;
  stops.push(() => server.close());
  return server.url;
}

/** A transport that notes when each session was asked for, and knows how many are. */
class CountedTransport extends WebTransport {
  readonly asked = new Map<string, number[]>();
  told = 0;
  #open = 0;

  override follow(follow: Follow, reader: FollowReader): () => void {
    const { sessionId } = follow;
    this.asked.set(sessionId, [...(this.asked.get(sessionId) ?? []), this.clock.now()]);
    this.#open++;
    const ended = (error: BridgeError): void => {
      this.#open--;
      reader.ended(error);
    };
    const updated = (update: StateUpdate): void => {
      reader.updated(update);
      this.told++;
    };
    return super.follow(follow, { updated, ended });
  }

  /** Done when nothing is under way. */
  async isQuiet(): Promise<void> {
    const before = this.count;
    while (this.#open > 0) {
      expect(this.count - before).toBeLessThanOrEqual(this.asked.size);
      await new Promise(setImmediate);
    }
  }

  get count(): number {
    return [...this.asked.values()].reduce((sum, { length }) => sum + length, 0);
  }
}

let clock: ManualClock;
let seed: number;
beforeEach(() => {
  clock = new ManualClock();
  seed = 7;
});
/** The same numbers at each run. */
const random = (): number => {
  seed = (seed * 48_271) % 2_147_483_647;
  return seed / 2_147_483_647;
};

const MINUTES = 10;
/** So often a rest that doubles up to 30 s, and is shortened by up to half, is over in that time. */
const MOST_ATTEMPTS = 10 + (MINUTES * 60_000) / 15_000;

test.each<[string, () => Promise<string>]>([
  ["is gone", async () => `http://127.0.0.1:${await deadPort()}`],
  ["is gone from behind a proxy", () => serve(BAD_GATEWAY, BAD_GATEWAY)],
  ["is behind a proxy that has no streams", () => serve(BAD_GATEWAY)],
  ["has no room", () => serve(refuse(new Refusal("TOO_MANY_WATCHES", "too many")))],
  ["says where things stand and breaks off", () => serve(streaming([STANDS], true))],
])("that %s is asked more and more seldom, however many ask", async (_, start) => {
  const transport = new CountedTransport(await start(), { clock, random });
  const all = Array.from({ length: MOST_STREAMS + 1 }, (_, i) => new Following(transport, `s${i}`));
  stops.push(() => {
    for (const following of all) following.end();
    return transport.close();
  });
  for (const following of all) following.begin();
  while (clock.now() < MINUTES * 60_000) {
    await transport.isQuiet();
    clock.advance(50);
  }
  for (const times of transport.asked.values()) {
    expect(times.length).toBeGreaterThan(MINUTES);
    expect(times.length).toBeLessThan(MOST_ATTEMPTS);
  }
});

test.each<[string, Uint8Array[], boolean]>([
  ["is told where things stand does not wake the others", [STANDS], false],
  ["is told news has the others come back", [STANDS, GOES_ON], true],
])("the first that %s", async (_, pieces, othersComeBack) => {
  let accident = BAD_GATEWAY;
  const url = await serve((...args) => accident(...args));
  const transport = new CountedTransport(url, { clock, random: () => 0 });
  const all = ["a", "b"].map((sessionId) => new Following(transport, sessionId));
  stops.push(() => {
    for (const following of all) following.end();
    return transport.close();
  });
  for (const following of all) {
    following.begin();
    for (const end = clock.now() + 45_000; clock.now() < end; clock.advance(100)) await transport.isQuiet();
  }
  await transport.isQuiet();
  // Now either comes back every 30 s, and one of them 15 s after the other.
  accident = streaming(pieces, false);
  const before = transport.count;
  while (transport.count === before) clock.advance(50);
  expect(transport.count).toBe(before + 1);
  while (transport.told < pieces.length) await new Promise(setImmediate);
  clock.advance(2_000);
  expect(transport.count).toBe(before + (othersComeBack ? 2 : 1));
});
