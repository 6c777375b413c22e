import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BatchError, LimitError } from "../core/errors.js";
import { type Bridge, startBridge } from "../server.js";
import { ManualClock } from "../testing/manual-clock.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { clientContract } from "./client.contract.js";
import { Client } from "./client.js";
import { defineVariables, float } from "./definitions.js";
import { failure, type TestBridge } from "./test-bridge.contract.js";
import { nodeContext } from "./transport/node-context.js";
import { MOST_STREAMS, WebTransport } from "./transport/web.js";
import { connect } from "./web-connect.js";

witnessWatches();

const start = async (): Promise<TestBridge> => {
  const clock = new ManualClock();
  const bridge = await startBridge({ port: 0, clock, logger: "silent" });
  return {
    // Node runs these, and carries what is pinned.
    connect: () => new Client(new WebTransport(`http://${bridge.address}`), nodeContext),
    clock,
    mostWatches: MOST_STREAMS,
    onWarning(see) {
      const spy = vi.spyOn(console, "warn").mockImplementation(see);
      return () => spy.mockRestore();
    },
    close: () => bridge.close(),
  };
};
clientContract("over HTTP", start);

describe("over HTTP: a pinned snapshot", () => {
  test("is refused in words, as browsers carry nothing through awaits", async () => {
    const bridge = await startBridge({ port: 0, logger: "silent" });
    const client = connect(`http://${bridge.address}`);
    const session = await client.session("s", defineVariables({ x: float(1) }));
    const refused = await failure(session.withSnapshot(() => 1));
    expect(refused).toBeInstanceOf(TypeError);
    expect(refused.message).toContain("a browser has nothing that carries it through awaits");
    await client.close();
    await bridge.close();
  });
});

describe("over HTTP: a listener", () => {
  test("is called when the copy, which is told on another stream, has come to what it is called with", async () => {
    const bridge = await startBridge({ port: 0, logger: "silent" });
    const [client, other] = [connect(`http://${bridge.address}`), connect(`http://${bridge.address}`)];
    let gate: Promise<void> | undefined;
    const ask = globalThis.fetch;
    const fetching = vi.spyOn(globalThis, "fetch").mockImplementation(async (...args) => {
      const answer = await ask(...args);
      if (!String(args[0]).endsWith("/Follow") || answer.body === null) return answer;
      const held = new TransformStream<Uint8Array, Uint8Array>({
        async transform(chunk, controller) {
          await gate;
          controller.enqueue(chunk);
        },
      });
      return new Response(answer.body.pipeThrough(held), answer);
    });
    try {
      const session = await client.session("s", defineVariables({ x: float(1) }));
      await session.ready();
      const seen: unknown[] = [];
      session.onChange(["x"], () => seen.push(session.peek("x")), { onError: (error) => seen.push(error) });
      const watch = session.watch(["x"]);
      await watch.ready();
      let open = (): void => {};
      gate = new Promise((resolve) => {
        open = resolve;
      });
      await other.sessions.updateVariable("s", "x", 2);
      await watch.next();
      await new Promise(setImmediate);
      expect(seen).toEqual([]);
      open();
      await vi.waitFor(() => expect(seen).toEqual([2]));
    } finally {
      fetching.mockRestore();
      await client.close();
      await other.close();
      await bridge.close();
    }
  });
});

describe("over HTTP: what is large", () => {
  let bridge: Bridge;
  let client: Client;
  beforeEach(async () => {
    bridge = await startBridge({ port: 0, logger: "silent" });
    client = connect(`http://${bridge.address}`);
    await client.sessions.createSession("s");
  });
  afterEach(async () => {
    await client.close();
    await bridge.close();
  });

  test("is refused above the limit of a message, as a request and as an answer", async () => {
    const mebibyte = "x".repeat(1_048_576);
    const names = ["a", "b", "c", "d", "e"];
    for (const name of names) await client.sessions.registerVariable("s", name, "string", mebibyte);
    const requests = [
      client.sessions.updateVariables("s", Object.fromEntries(names.map((name) => [name, mebibyte]))),
      client.sessions.getVariables("s", names),
    ];
    for (const request of requests) {
      const error = await request.catch((refused: unknown) => refused);
      expect(error).toBeInstanceOf(LimitError);
      expect(error).toMatchObject({ reason: "TOO_LARGE" });
    }
    expect((await client.sessions.getVariable("s", "e")).value).toBe(mebibyte);
  });

  test("is told whole if it is the refusal of a batch", async () => {
    const updates = Object.fromEntries(
      Array.from({ length: 1_000 }, (_, place) => [`${"ä".repeat(120)}${place}`, place]),
    );
    const error = await client.sessions.updateVariables("s", updates).catch((refused: unknown) => refused);
    expect(error).toBeInstanceOf(BatchError);
    expect((error as BatchError).errors.size).toBe(1_000);
  });
});
