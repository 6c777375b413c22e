/** What happens when things go wrong between a page and a bridge; the rest is in the contracts (`client.web.test.ts`). */
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  ClosedError,
  DeadlineError,
  InternalError,
  LimitError,
  OutcomeUnknownError,
  SessionNotFoundError,
  UnavailableError,
} from "../../core/errors.js";
import { Refusal, sessionNotFound } from "../../core/refusal.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { enveloped, LAST, UNARY_TYPE } from "../../wire/connect.js";
import { refusalJson } from "../../wire/json.js";
import { bookmarkBytes } from "../../wire/watch-codecs.js";
import { Client } from "../client.js";
import { failure } from "../test-bridge.contract.js";
import { deadPort } from "./accidents.contract.js";
import { systemClock } from "./system-clock.js";
import { MOST_STREAMS, WebTransport } from "./web.js";
import {
  body,
  breakConnection,
  bytes,
  endless,
  type HttpAccident,
  keepSilent,
  refuse,
  streaming,
} from "./web-accidents.contract.js";
import { at, follow, READ, Reader, rpcOf, update, WebStage, WRITE, WRITTEN } from "./web-stage.contract.js";

witnessWatches();

let stage: WebStage;
beforeEach(() => {
  stage = new WebStage();
});
afterEach(() => stage.stop());

describe("an address", () => {
  test.each([
    ["http://127.0.0.1:50051", "http://127.0.0.1:50051"],
    ["http://127.0.0.1:50051/", "http://127.0.0.1:50051"],
    ["https://app.example/bridge/", "https://app.example/bridge"],
  ])("%s is one", (url, address) => {
    expect(new WebTransport(url).address).toBe(address);
  });

  test.each(["127.0.0.1:50051", "", "ftp://a", "http://a?b", "http://a#b", "http://"])(
    "%j is none",
    (url) => {
      expect(() => new WebTransport(url)).toThrow(RangeError);
    },
  );
});

describe("without a bridge", () => {
  test("a call fails at once, a write too, and says what to do [ORD-16 refuses]", async () => {
    const url = `http://127.0.0.1:${await deadPort()}`;
    const transport = stage.connect(url);
    for (const command of [READ, WRITE]) {
      const error = await failure(transport.call(command));
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error.message).toContain(`no bridge answers at ${url}; nothing was done`);
    }
    expect(stage.clock.pendingTimers).toBe(0);
  });

  test("a proxy that answers in its place is not handed a write [ORD-16 refuses]", async () => {
    const { server, transport } = await stage.serve(WRITTEN);
    server.ping = body(502, "bad gateway", "text/plain");
    const error = await failure(transport.call(WRITE));
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error.message).toContain("nothing was done");
    expect(server.requests).toHaveLength(0);
  });

  test("a page is told that it may not be allowed", async () => {
    const url = `http://127.0.0.1:${await deadPort()}`;
    Object.assign(globalThis, { location: { origin: "http://localhost:5173" } });
    stage.onStop(() => Reflect.deleteProperty(globalThis, "location"));
    const error = await failure(stage.connect(url).call(READ));
    expect(error.message).toContain("--allow-origin http://localhost:5173");
  });

  test("a watch ends so, and is begun again as soon as a call finds it", async () => {
    const bridge = await stage.bridgeOf();
    await bridge.close();
    const transport = stage.connect(`http://${bridge.address}`);
    const client = new Client(transport);
    const watch = client.sessions.watch("run");
    const ready = watch.ready();
    for (const restMs of [100, 200, 400, 800, 1_600]) await stage.clock.pass(restMs);
    // It would rest for so long, and has as long as a call would at most.
    await stage.clock.timerOf(3_200);
    stage.clock.advance(2_000);
    const another = await stage.bridgeOf(bridge.port);
    await client.ping();
    stage.clock.advance(0);
    await ready;
    await another.session("run");
    expect((await watch.next()).value).toMatchObject({ kind: "created" });
    await watch.return();
  });
});

describe("a write", () => {
  test("whose connection breaks is sent again, the same bytes, and answered", async () => {
    const { server, transport } = await stage.serve(breakConnection, WRITTEN);
    const writing = transport.call(WRITE);
    await stage.clock.pass(100);
    expect(await writing).toMatchObject({ kind: "setVariable", revision: at(3) });
    const [first, second] = server.requests;
    expect(second?.bytes).toEqual(first?.bytes);
    // Before it is handed over again, the bridge is asked whether it is there.
    expect(server.pings).toBe(2);
  });

  test("that is sent again and again leaves nothing behind at each attempt", async () => {
    const { transport } = await stage.serve(keepSilent);
    // That of Node leaves something behind itself.
    const real = globalThis.fetch;
    const fetch = vi.spyOn(globalThis, "fetch").mockImplementation((url, init) => {
      const isWrite = String(url).endsWith(rpcOf("setVariable").path);
      return isWrite ? Promise.reject(new TypeError("fetch failed")) : real(url, init);
    });
    stage.onStop(() => fetch.mockRestore());
    const warned = vi.fn();
    process.on("warning", warned);
    stage.onStop(() => process.off("warning", warned));
    const writing = failure(transport.call(WRITE, { timeoutMs: 24_000 }));
    for (const ms of [100, 200, 400, 800, 1_600, ...Array.from({ length: 10 }, () => 2_000)])
      await stage.clock.pass(ms);
    expect(await writing).toBeInstanceOf(OutcomeUnknownError);
    // Node says so of more than ten listeners of a signal, in a later turn.
    await new Promise(setImmediate);
    expect(warned).not.toHaveBeenCalled();
    expect(stage.clock.pendingTimers).toBe(0);
  });

  test("that is not answered in time has an unknown outcome, and a read does not [ORD-16 refuses]", async () => {
    const { server, transport } = await stage.serve(keepSilent);
    const writing = failure(transport.call(WRITE));
    await server.received(1);
    await stage.clock.pass(5_000);
    expect(await writing).toBeInstanceOf(OutcomeUnknownError);
    const reading = failure(transport.call(READ, { timeoutMs: 300 }));
    await server.received(2);
    await stage.clock.pass(300);
    expect(await reading).toBeInstanceOf(DeadlineError);
  });

  test("is refused as the bridge says", async () => {
    const { transport } = await stage.serve(refuse(sessionNotFound("s")));
    const error = await failure(transport.call(WRITE));
    expect(error).toBeInstanceOf(SessionNotFoundError);
    expect(error).toMatchObject({ sessionId: "s", message: "Session not found: s" });
  });

  test("is not over because its caller waits no longer", async () => {
    const { server, transport } = await stage.serve(keepSilent);
    const controller = new AbortController();
    const writing = failure(transport.call(WRITE, { signal: controller.signal }));
    await server.received(1);
    controller.abort("enough");
    expect(await writing).toBe("enough");
    expect(stage.clock.pendingTimers).toBe(0);
  });
});

describe("a read", () => {
  test.each<[string, HttpAccident]>([
    ["a page", body(200, "<html>", "text/html")],
    ["nothing that is known", body(404, "not here", "text/plain")],
    ["bytes that make no sense", bytes(Uint8Array.of(255))],
    ["an answer without what it has to have", bytes(new Uint8Array())],
  ])("of what is no bridge says so: %s", async (_, accident) => {
    const { transport } = await stage.serve(accident);
    const error = await failure(transport.call(READ));
    expect(error).toBeInstanceOf(InternalError);
    expect(error).toMatchObject({ reason: "PROTOCOL" });
  });

  test("through a proxy that has lost the bridge is tried again", async () => {
    const { server, transport } = await stage.serve(
      body(502, "bad gateway", "text/plain"),
      refuse(sessionNotFound("s")),
    );
    const reading = failure(transport.call(READ));
    await stage.clock.pass(100);
    expect(await reading).toBeInstanceOf(SessionNotFoundError);
    expect(server.requests).toHaveLength(2);
  });

  test("that fails with a detail of a later bridge is told by its code", async () => {
    const later = {
      code: "resource_exhausted",
      message: "too much",
      details: [{ type: "snakepit.bridge.v1.ErrorDetail", value: "CGM" }],
    };
    const { transport } = await stage.serve(body(429, JSON.stringify(later)));
    const error = await failure(transport.call(READ));
    expect(error).toBeInstanceOf(LimitError);
    expect(error.message).toContain("too much");
  });
});

describe("an answer that never ends", () => {
  test.each<[string, HttpAccident]>([
    ["as one of a bridge", endless(200, UNARY_TYPE.proto)],
    ["as a refusal", endless(503, "text/plain")],
  ])("%s is given up, and its connection with it", async (_, accident) => {
    const { server, transport } = await stage.serve(accident);
    const gone = server.received(1).then(() => once(server.requests[0]?.response as ServerResponse, "close"));
    const error = await failure(transport.call(WRITE, { timeoutMs: 100 }));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.message).toContain("more than 67108864 bytes");
    await gone;
  });

  test("in the place of a stream is given up too", async () => {
    const { transport } = await stage.serve(endless(503, "text/plain"));
    const { reader } = follow(transport);
    await reader.until(() => reader.error !== undefined);
    expect(reader.error?.message).toContain("more than 67108864 bytes");
  });
});

describe("commands of a session", () => {
  test("are sent in the order in which they were asked, reads together [ORD-17 accepts]", async () => {
    const { server, transport } = await stage.serve(keepSilent);
    const calls = [WRITE, READ, READ, WRITE].map((command) => failure(transport.call(command)));
    const elsewhere = failure(transport.call({ ...WRITE, sessionId: "t" }));
    await server.received(2);
    const [first, other] = server.requests;
    expect([first?.path, other?.path]).toEqual([rpcOf("setVariable").path, rpcOf("setVariable").path]);
    refuse(new Refusal("INVALID_NAME", "no"))(first?.response as never, server);
    await server.received(4);
    for (const { path, response } of server.requests.slice(2)) {
      expect(path).toBe(rpcOf("getSession").path);
      refuse(new Refusal("INVALID_NAME", "no"))(response, server);
    }
    await server.received(5);
    for (const { response } of server.requests)
      if (!response.writableEnded) refuse(new Refusal("INVALID_NAME", "no"))(response, server);
    await Promise.all([...calls, elsewhere]);
    expect(server.requests).toHaveLength(5);
  });
});

describe("a stream", () => {
  test.each<[string, HttpAccident, string]>([
    ["breaks off", streaming([update(undefined, 1)], true), "UNAVAILABLE"],
    ["is none", body(200, "<html>", "text/html"), "PROTOCOL"],
    [
      "is refused before it begins",
      body(403, '{"code":"permission_denied","message":"no"}'),
      "PERMISSION_DENIED",
    ],
    ["claims 4 GiB", streaming([Uint8Array.of(0, 255, 255, 255, 255)], false), "UNAVAILABLE"],
    ["is compressed", streaming([enveloped(1, new Uint8Array())], false), "UNAVAILABLE"],
    ["tells what makes no sense", streaming([enveloped(0, Uint8Array.of(255))], false), "PROTOCOL"],
    ["ends with what makes no sense", streaming([enveloped(LAST, Uint8Array.of(255))], false), "UNAVAILABLE"],
    ["ends in peace", streaming([enveloped(LAST, Buffer.from("{}"))], false), "UNAVAILABLE"],
    [
      "ends as the bridge says",
      streaming(
        [
          enveloped(
            LAST,
            Buffer.from(JSON.stringify({ error: refusalJson(new Refusal("WATCH_GAP", "a gap")) })),
          ),
        ],
        false,
      ),
      "WATCH_GAP",
    ],
  ])("that %s ends so", async (_, accident, reason) => {
    const { transport } = await stage.serve(accident);
    const { reader } = follow(transport);
    await reader.until(() => reader.error !== undefined);
    expect(reader.error?.reason).toBe(reason);
  });

  test("on which nothing is heard for 5 s is given up", async () => {
    // There is no session.
    const bookmark = enveloped(0, bookmarkBytes({ incarnation: "", number: 0, check: 0n }));
    const { server, transport } = await stage.serve(streaming([bookmark], false));
    const reader = new Reader();
    transport.watch(
      { sessionId: "s", names: [], passive: false },
      { told: reader.tell, ended: reader.ended },
    );
    await reader.until(() => reader.told.length > 0);
    for (let second = 0; second < 4; second++) await stage.clock.pass(1_000);
    server.requests[0]?.response.write(bookmark);
    await reader.until(() => reader.told.length > 1);
    for (let second = 0; second < 5; second++) {
      expect(reader.error).toBeUndefined();
      await stage.clock.pass(1_000);
    }
    await stage.clock.pass(1_000).catch(() => {});
    expect(reader.error).toBeInstanceOf(UnavailableError);
    expect(reader.error?.message).toContain("5 s");
  });

  test("that is stopped tells nothing more, and lets go of its connection", async () => {
    const { server, transport } = await stage.serve(streaming([update(undefined, 1)], false));
    const { reader, stop } = follow(transport);
    await server.received(1);
    const gone = new Promise((resolve) => server.requests[0]?.response.once("close", resolve));
    stop();
    await gone;
    expect(reader.error).toBeUndefined();
    expect(stage.clock.pendingTimers).toBe(0);
  });

  test("ends when its client is closed, and none is begun after that", async () => {
    const { transport } = await stage.serve(streaming([update(undefined, 1)], false));
    const { reader } = follow(transport);
    await reader.until(() => reader.told.length > 0);
    await transport.close();
    expect(reader.error).toBeInstanceOf(ClosedError);
    const late = follow(transport).reader;
    await late.until(() => late.error !== undefined);
    expect(late.error).toBeInstanceOf(ClosedError);
    expect(await failure(transport.call(READ))).toBeInstanceOf(ClosedError);
  });
});

describe("streams", () => {
  test("are few, and what is beyond is told why, and served when there is room", async () => {
    const bridge = await stage.bridgeOf();
    const transport = stage.connect(`http://${bridge.address}`, { clock: systemClock });
    const client = new Client(transport);
    const watches = Array.from({ length: MOST_STREAMS }, () => client.sessions.watch("run"));
    await Promise.all(watches.map((watch) => watch.ready()));
    const error = await failure(client.sessions.watch("run").next());
    expect(error).toBeInstanceOf(LimitError);
    expect(error.message).toContain(`${MOST_STREAMS} streams`);
    const session = await client.session("other");
    await session.set("x", 1);
    // Without a copy the bridge is asked.
    expect(await session.read("x")).toMatchObject({ value: 1, source: "server" });
    const ready = session.ready({ timeoutMs: 20_000 });
    await watches[0]?.return();
    await ready;
    expect(session.peek("x")).toBe(1);
    await Promise.all(watches.map((watch) => watch.return()));
  });
});
