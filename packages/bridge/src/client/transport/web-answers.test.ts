/** How the answers that a page gets wait for what its copies are told (ORD-2). */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { UnavailableError } from "../../core/errors.js";
import { Refusal } from "../../core/refusal.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { Client } from "../client.js";
import { failure } from "../test-bridge.contract.js";
import { systemClock } from "./system-clock.js";
import type { CallOptions } from "./transport.js";
import { type HttpAccidentServer, keepSilent, refuse, streaming } from "./web-accidents.contract.js";
import { at, follow, update, WebStage, WRITE, WRITTEN } from "./web-stage.contract.js";

witnessWatches();

let stage: WebStage;
beforeEach(() => {
  stage = new WebStage();
});
afterEach(() => stage.stop());

describe("an answer", () => {
  async function writing(options: CallOptions = {}) {
    const { server, transport } = await stage.serve(streaming([update(undefined, 2)], false), WRITTEN);
    const { reader } = follow(transport);
    await reader.until(() => reader.told.length > 0);
    let answered = false;
    const write = transport.call(WRITE, options).then((reply) => {
      answered = true;
      return reply;
    });
    await server.received(2);
    // Its timer, beside that of the silence.
    while (stage.clock.countOf(1_000) < 2) await new Promise(setImmediate);
    const stream = server.requests[0]?.response as HttpAccidentServer["requests"][number]["response"];
    return { reader, write, stream, isAnswered: () => answered };
  }

  test("waits until what it is true at was told [ORD-2 accepts]", async () => {
    const { reader, write, stream, isAnswered } = await writing();
    for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
    expect(isAnswered()).toBe(false);
    stream.write(update(2, 3));
    expect(await write).toMatchObject({ revision: at(3) });
    expect(reader.told).toHaveLength(2);
  });

  test("waits for 1 s, and gives a copy up of which nothing is heard [ORD-2 refuses]", async () => {
    const { reader, write } = await writing();
    stage.clock.advance(1_000);
    await write;
    expect(reader.error).toBeInstanceOf(UnavailableError);
    expect(reader.error?.message).toContain("not told what it was asked to tell");
  });

  test("leaves a copy alone to which something comes, if slowly", async () => {
    const { reader, write, stream } = await writing();
    stream.write(update(2, 2));
    await reader.until(() => reader.told.length === 2);
    stage.clock.advance(1_000);
    await write;
    expect(reader.error).toBeUndefined();
    stream.write(update(2, 3));
    await reader.until(() => reader.told.length === 3);
  });

  test("waits for no longer than its caller, who is answered all the same", async () => {
    const { reader, write } = await writing({ timeoutMs: 300 });
    stage.clock.advance(300);
    expect(await write).toMatchObject({ revision: at(3) });
    // That is too soon to know that nothing comes.
    expect(reader.error).toBeUndefined();
  });

  test("is not waited for when its caller does not", async () => {
    const controller = new AbortController();
    const { reader, write } = await writing({ signal: controller.signal });
    const aborted = failure(write);
    controller.abort("enough");
    expect(await aborted).toBe("enough");
    expect(reader.error).toBeUndefined();
  });

  test("that is a refusal waits for no longer than its caller, too", async () => {
    const conflict = refuse(new Refusal("VERSION_CONFLICT", "a conflict"));
    const { server, transport } = await stage.serve(
      streaming([update(undefined, 2)], false),
      conflict,
      keepSilent,
    );
    const { reader } = follow(transport);
    await reader.until(() => reader.told.length > 0);
    const controller = new AbortController();
    const inTime = failure(transport.call(WRITE, { timeoutMs: 300 }));
    // Where the session stands is asked for.
    await server.received(3);
    await stage.clock.pass(300);
    expect(await inTime).toMatchObject({ reason: "VERSION_CONFLICT" });
    const aborted = failure(transport.call({ ...WRITE, sessionId: "s" }, { signal: controller.signal }));
    controller.abort("enough");
    expect(await aborted).toBe("enough");
  });

  test("that is a refusal is not followed by a read of what was before it [ORD-1 accepts]", async () => {
    const bridge = await stage.bridgeOf();
    const client = new Client(stage.connect(`http://${bridge.address}`, { clock: systemClock }));
    const mine = await client.session("run");
    await mine.set("x", 0);
    await mine.ready();
    const theirs = await bridge.session("run");
    for (let i = 1; i <= 20; i++) {
      const { version } = await theirs.set("x", i);
      const error = await failure(mine.set("x", -1, { expectedVersion: 1 }));
      expect(error).toMatchObject({ reason: "VERSION_CONFLICT", current: version });
      expect(mine.peek("x")).toBe(i);
    }
  });
});
