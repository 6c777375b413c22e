/** The RPCs over HTTP: as curl asks them, as a client of Connect that is not ours does, and as nobody should. */
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Bridge, type BridgeOptions, startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { VERSION } from "../../version.js";
import { Envelopes, enveloped, LAST } from "../../wire/connect.js";
import { ErrorDetailSchema, ErrorReason } from "../../wire/gen/snakepit/bridge/v1/errors_pb.js";
import { SessionService } from "../../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { OnMissing, VariableService } from "../../wire/gen/snakepit/bridge/v1/variables_pb.js";
import { SERVICES } from "../../wire/services.js";
import { RawSocket } from "../raw-socket.contract.js";

witnessWatches();

const PAGE = "http://localhost:5173";
const PACKAGE = "/snakepit.bridge.v1.";
const GET = "VariableService/GetVariable";
const SET = "VariableService/SetVariable";
const PING = "SessionService/Ping";
const WATCH = "VariableService/Watch";

let bridge: Bridge;
const stops: (() => unknown)[] = [];
beforeEach(() => start());
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(options: BridgeOptions = {}): Promise<void> {
  bridge = await startBridge({
    port: 0,
    logger: "silent",
    graceMs: 60_000,
    allowOrigins: [PAGE],
    ...options,
  });
  stops.push(() => bridge.close());
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Asks with all that a test wants to say; fetch would not let it forge a Host. */
function ask(
  rpc: string,
  body: string | Uint8Array | undefined,
  headers: Record<string, string> = {},
  method = "POST",
  heard: (piece: Buffer) => void = () => {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(
      {
        port: bridge.port,
        host: "127.0.0.1",
        path: rpc.startsWith("/") ? rpc : PACKAGE + rpc,
        method,
        headers: { "content-type": "application/json", ...headers },
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => {
          pieces.push(piece);
          heard(piece);
        });
        response.on("error", reject);
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces),
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.end(body);
  });
}

async function json(rpc: string, body: object | string, headers: Record<string, string> = {}) {
  const answer = await ask(rpc, typeof body === "string" ? body : JSON.stringify(body), headers);
  return { ...answer, json: JSON.parse(answer.body.toString()) };
}

const set = (identifier: string, value: object) => ({
  session_id: "s",
  on_missing: "ON_MISSING_INFER",
  item: { identifier, value },
});

describe("JSON, as curl sends it", () => {
  test("[DOOR-6 accepts] sets and reads", async () => {
    expect(await json(SET, set("x", { number: 0.5 }))).toMatchObject({
      status: 200,
      headers: { "content-type": "application/json", "x-content-type-options": "nosniff" },
      json: {
        item: { version: "1", value: { float: 0.5 }, type: "VARIABLE_TYPE_FLOAT" },
        revision: { number: "1" },
      },
    });
    const read = await json(
      GET,
      { sessionId: "s", identifier: "x" },
      { "content-type": "application/json; charset=utf-8" },
    );
    expect(read.json).toMatchObject({ variable: { name: "x", value: { float: 0.5 } } });
    await json(SET, set("x", { float: "NaN" }));
    expect((await json(GET, { sessionId: "s", identifier: "x" })).json).toMatchObject({
      variable: { value: { float: "NaN" } },
    });
    await json(SET, set("n", { integer: "9007199254740993" }));
    expect((await json(GET, { sessionId: "s", identifier: "n" })).json).toMatchObject({
      variable: { value: { integer: "9007199254740993" } },
    });
  });

  test("text keeps what looks like a mark of the byte order", async () => {
    await json(SET, set("t", { string: "\ufeffa" }));
    expect((await json(GET, { sessionId: "s", identifier: "t" })).json.variable.value.string).toBe("\ufeffa");
  });

  test("has every RPC of the contract", async () => {
    for (const { path } of SERVICES.flatMap(({ rpcs }) => rpcs)) {
      const { status, json: said } = await json(path, {});
      expect([status, said.code ?? "ok"], path).not.toContain(404);
    }
  });

  test.each([
    [GET, { sessionId: "s", identifier: "y" }, 404, "not_found", "ERROR_REASON_SESSION_NOT_FOUND"],
    [SET, { sessionId: "", item: {} }, 400, "invalid_argument", "ERROR_REASON_INVALID_NAME"],
    [GET, { sessionId: "s", identifier: 7 }, 400, "invalid_argument", "ERROR_REASON_INVALID_ARGUMENT"],
    [GET, "no JSON", 400, "invalid_argument", "ERROR_REASON_INVALID_ARGUMENT"],
    [GET, { unknown: 1 }, 400, "invalid_argument", "ERROR_REASON_INVALID_ARGUMENT"],
  ])("is refused with code and detail: %s %j", async (rpc, body, status, code, reason) => {
    const refused = await json(rpc, body);
    expect(refused).toMatchObject({ status, json: { code, message: expect.stringMatching(/./) } });
    expect(refused.json.details).toEqual([
      expect.objectContaining({ debug: expect.objectContaining({ reason }) }),
    ]);
  });

  test("a deadline that has passed is one", async () => {
    expect(await json(SET, set("x", { number: 1 }), { "connect-timeout-ms": "0" })).toMatchObject({
      status: 504,
      json: { code: "deadline_exceeded", details: [{ debug: { reason: "ERROR_REASON_DEADLINE_EXCEEDED" } }] },
    });
    for (const wrong of ["-1", "soon", "12345678901", "1.5"])
      expect(await json(SET, set("x", { number: 1 }), { "connect-timeout-ms": wrong })).toMatchObject({
        status: 400,
      });
    expect(await json(SET, set("x", { number: 1 }), { "connect-timeout-ms": "60000" })).toMatchObject({
      status: 200,
    });
  });

  test("a client of another generation is refused [DOOR-9 refuses]", async () => {
    const refused = await json(PING, {}, { "snakepit-client": "typescript/9.0.0" });
    expect(refused).toMatchObject({ status: 200, json: { serverVersion: VERSION } });
    expect(await json(GET, {}, { "snakepit-client": "typescript/9.0.0" })).toMatchObject({
      status: 400,
      json: {
        code: "failed_precondition",
        details: [{ debug: { reason: "ERROR_REASON_VERSION_MISMATCH" } }],
      },
    });
  });

  test("a watch tells each commit in an envelope, and says in the last one why it ends", async () => {
    const asked = enveloped(0, Buffer.from('{"session_id":"s"}'));
    let said = "";
    const type = { "content-type": "application/connect+json" };
    const ended = ask(WATCH, asked, type, "POST", (piece) => {
      said += piece;
    });
    while (!said.includes("bookmark")) await new Promise(setImmediate);
    const session = await bridge.session("s");
    await session.set("x", 1);
    while (!said.includes('"x"')) await new Promise(setImmediate);
    await bridge.close();
    const { status, headers, body } = await ended;
    expect([status, headers["content-type"]]).toEqual([200, "application/connect+json"]);
    const letters = new Envelopes(4_194_304).add(body);
    const told = (Array.isArray(letters) ? letters : []).map(({ flags, bytes }) => [
      flags,
      JSON.parse(Buffer.from(bytes).toString()),
    ]);
    expect(told.at(-1)).toEqual([
      LAST,
      {
        error: expect.objectContaining({
          code: "unavailable",
          message: expect.stringContaining("shutting down"),
        }),
      },
    ]);
    expect(told.slice(0, -1)).toEqual([
      [0, { bookmark: expect.anything() }],
      [0, { event: expect.objectContaining({ kind: "SESSION_EVENT_KIND_CREATED" }) }],
      [0, { event: expect.objectContaining({ changes: [expect.objectContaining({ name: "x" })] }) }],
    ]);
  });
});

describe.each([
  ["binary", true],
  ["JSON", false],
])("a client of Connect that is not ours, in %s,", (_, useBinaryFormat) => {
  let sessions: Client<typeof SessionService>;
  let variables: Client<typeof VariableService>;
  const infer = { sessionId: "s", onMissing: OnMissing.INFER };
  const float = (value: number) => ({ kind: { case: "float" as const, value } });
  beforeEach(() => {
    const transport = createConnectTransport({
      baseUrl: `http://${bridge.address}`,
      httpVersion: "1.1",
      useBinaryFormat,
    });
    sessions = createClient(SessionService, transport);
    variables = createClient(VariableService, transport);
  });

  test("is answered", async () => {
    expect(await sessions.ping({ message: "ä" }, { timeoutMs: 60_000 })).toMatchObject({
      message: "ä",
      serverVersion: VERSION,
    });
    await variables.setVariable({ ...infer, item: { identifier: "x", value: float(Number.NaN) } });
    const { variable } = await variables.getVariable({ sessionId: "s", identifier: "x" });
    expect(variable?.value).toMatchObject(float(Number.NaN));
  });

  test("is refused with the detail of the contract", async () => {
    await sessions.createSession({ sessionId: "s" });
    const error = await variables.getVariable({ sessionId: "s", identifier: "y" }).catch((cause) => cause);
    expect(error).toBeInstanceOf(ConnectError);
    expect(error).toMatchObject({ code: Code.NotFound, rawMessage: "Variable not found: y" });
    expect((error as ConnectError).findDetails(ErrorDetailSchema)).toMatchObject([
      { reason: ErrorReason.VARIABLE_NOT_FOUND, sessionId: "s", identifier: "y" },
    ]);
  });

  test("watches and follows until it stops, and is told why it may not", async () => {
    const session = await bridge.session("s");
    const stop = new AbortController();
    const watch = variables.watch({ sessionId: "s" }, { signal: stop.signal })[Symbol.asyncIterator]();
    const follow = variables.follow({ sessionId: "s" }, { signal: stop.signal })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ kind: { case: "bookmark", value: { number: 1n } } });
    expect((await follow.next()).value).toMatchObject({ revision: { number: 1n }, changed: [] });
    await session.set("x", 1);
    expect((await watch.next()).value).toMatchObject({
      kind: { case: "event", value: { changes: [{ name: "x" }] } },
    });
    expect((await follow.next()).value).toMatchObject({
      base: { number: 1n },
      changed: [{ name: "x", version: 1n }],
    });
    stop.abort();
    await expect(watch.next()).rejects.toMatchObject({ code: Code.Canceled });
    const refused = variables.watch({ sessionId: "" })[Symbol.asyncIterator]();
    await expect(refused.next()).rejects.toMatchObject({ code: Code.InvalidArgument });
  });

  test("that stops reading is let go", async () => {
    await start({ limits: { maxWatches: 1 } });
    const baseUrl = `http://${bridge.address}`;
    const { watch } = createClient(
      VariableService,
      createConnectTransport({ baseUrl, httpVersion: "1.1", useBinaryFormat }),
    );
    const begin = async () => {
      const stop = new AbortController();
      stops.push(() => stop.abort());
      await watch({ sessionId: "s" }, { signal: stop.signal })[Symbol.asyncIterator]().next();
      return stop;
    };
    const first = await begin();
    await expect(begin()).rejects.toMatchObject({ code: Code.ResourceExhausted });
    first.abort();
    // The bridge sees it when the connection ends.
    while ((await begin().catch(() => undefined)) === undefined) await new Promise(setImmediate);
  });
});

test("a quiet watch and a quiet follower are told where they stand, every 2 s at the latest", async () => {
  const clock = new ManualClock();
  await start({ clock });
  const transport = createConnectTransport({ baseUrl: `http://${bridge.address}`, httpVersion: "1.1" });
  const variables = createClient(VariableService, transport);
  const stop = new AbortController();
  const watch = variables.watch({ sessionId: "s" }, { signal: stop.signal })[Symbol.asyncIterator]();
  const follow = variables.follow({ sessionId: "s" }, { signal: stop.signal })[Symbol.asyncIterator]();
  await Promise.all([watch.next(), follow.next()]);
  const quiet = Promise.all([watch.next(), follow.next()]);
  clock.advance(1_000);
  clock.advance(1_000);
  expect(await quiet).toMatchObject([
    { value: { kind: { case: "bookmark", value: { number: 0n } } } },
    { value: { base: { number: 0n }, revision: { number: 0n } } },
  ]);
  stop.abort();
  await watch.next().catch(() => {});
});

describe("a body", () => {
  test("that is too long is refused by its length, announced or not, and the connection goes on", async () => {
    await start({ limits: { maxMessageBytes: 1_000 } });
    const long = JSON.stringify({ message: "x".repeat(2_000) });
    for (const headers of [{ "content-length": String(long.length) }, { "transfer-encoding": "chunked" }])
      expect(await json(PING, long, headers)).toMatchObject({
        status: 429,
        json: {
          code: "resource_exhausted",
          details: [{ debug: { limit: { setting: "max-message-bytes", limit: "1000" } } }],
        },
      });
    const socket = new RawSocket(bridge.port);
    stops.push(() => socket.close());
    const head = (length: number) =>
      `POST ${PACKAGE}${PING} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n`;
    await socket.say(head(long.length) + long + head(2) + "{}");
    await socket.until((received) => received.includes("serverVersion"));
    expect(socket.text.match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 429", "HTTP/1.1 200"]);
  });

  test.each([
    ["text/plain"],
    ["application/x-www-form-urlencoded"],
    ["multipart/form-data; boundary=x"],
    ["application/grpc-web+proto"],
    ["application/connect+json"],
    ["application/json; charset=utf-16"],
    [""],
  ])("of type %j is refused, and says which are not", async (type) => {
    expect(await json(PING, "{}", { "content-type": type })).toMatchObject({
      status: 415,
      headers: { "accept-post": "application/json, application/proto" },
      json: { message: "Ping takes a body of type application/json or application/proto" },
    });
  });

  test("that is compressed is refused", async () => {
    expect(await json(PING, "{}", { "content-encoding": "gzip" })).toMatchObject({ status: 415 });
    const stream = { "content-type": "application/connect+json" };
    expect(await json(WATCH, "", { ...stream, "connect-content-encoding": "gzip" })).toMatchObject({
      status: 415,
    });
  });

  test.each([
    ["nothing", new Uint8Array()],
    ["half an envelope", enveloped(0, Buffer.from("{}")).subarray(0, 6)],
    ["two envelopes", Buffer.concat([enveloped(0, Buffer.from("{}")), enveloped(0, Buffer.from("{}"))])],
    ["a compressed one", enveloped(1, Buffer.from("{}"))],
    ["one that claims 4 GiB", Uint8Array.of(0, 255, 255, 255, 255)],
  ])("of a stream that is %s is refused in its last envelope", async (_, body) => {
    const { status, body: said } = await ask(WATCH, body, { "content-type": "application/connect+json" });
    const letters = new Envelopes(100_000).add(said);
    expect(status).toBe(200);
    expect(letters).toMatchObject([{ flags: LAST }]);
    expect(said.toString()).toMatch(/"code":"(invalid_argument|resource_exhausted)"/);
  });

  test("that breaks off hurts nobody", async () => {
    const socket = new RawSocket(bridge.port);
    await socket.say(
      `POST ${PACKAGE}${PING} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{`,
    );
    socket.close();
    expect(await json(PING, {})).toMatchObject({ status: 200 });
  });
});

describe("a request that is none", () => {
  test("is told what is here", async () => {
    expect(await json("/", {})).toMatchObject({
      status: 404,
      json: { message: 'this is a bridge, and there is nothing at "/"' },
    });
    expect(await json("VariableService/Nonsense", {})).toMatchObject({ status: 404 });
    expect(await json("/snakepit.bridge.v1.ChannelService/Channel", {})).toMatchObject({ status: 404 });
  });

  test.each(["GET", "PUT", "DELETE", "OPTIONS", "HEAD"])("of method %s changes nothing", async (method) => {
    const { status, headers } = await ask("SessionService/CreateSession", '{"session_id":"s"}', {}, method);
    expect([status, headers.allow]).toEqual([405, "POST"]);
    expect(await bridge.sessions.listSessions()).toEqual([]);
  });
});

describe("a page", () => {
  const CREATE = "SessionService/CreateSession";

  test("of a stranger's name for this machine is refused", async () => {
    for (const host of [`evil.example:${bridge.port}`, "evil.example", "localhost.evil.example"])
      expect(await json(CREATE, { session_id: "s" }, { host })).toMatchObject({ status: 403 });
    expect(await bridge.sessions.listSessions()).toEqual([]);
  });

  test.each(["http://evil.example", "null", "http://localhost:1"])(
    "of origin %s is refused",
    async (origin) => {
      const refused = await json(CREATE, { session_id: "s" }, { origin });
      expect(refused).toMatchObject({ status: 403, json: { code: "permission_denied" } });
      expect(refused.headers["access-control-allow-origin"]).toBeUndefined();
      const asked = { origin, "access-control-request-method": "POST" };
      const preflight = await ask(CREATE, undefined, asked, "OPTIONS");
      expect(preflight.status).toBe(403);
      expect(preflight.headers["access-control-allow-origin"]).toBeUndefined();
      expect(await bridge.sessions.listSessions()).toEqual([]);
    },
  );

  test("of an origin that was allowed may ask, and read the answer", async () => {
    const asked = {
      origin: PAGE,
      "access-control-request-method": "POST",
      "access-control-request-private-network": "true",
    };
    expect(await ask(PING, undefined, asked, "OPTIONS")).toMatchObject({
      status: 204,
      headers: {
        "access-control-allow-origin": PAGE,
        "access-control-allow-methods": "POST",
        "access-control-allow-headers": expect.stringContaining("content-type"),
        "access-control-allow-private-network": "true",
        vary: "origin",
      },
    });
    for (const [rpc, status] of [
      [PING, 200],
      [GET, 400],
      ["/", 404],
    ] as const)
      expect(await json(rpc, {}, { origin: PAGE })).toMatchObject({
        status,
        headers: { "access-control-allow-origin": PAGE, vary: "origin" },
      });
  });

  test("that the bridge itself has served may ask", async () => {
    const host = `localhost:${bridge.port}`;
    const answer = await json(PING, {}, { host, origin: `http://${host}` });
    expect(answer).toMatchObject({ status: 200 });
    expect(answer.headers["access-control-allow-origin"]).toBeUndefined();
  });
});

describe("nonsense", () => {
  test("is answered with documented codes, whatever it is", { timeout: 60_000 }, async () => {
    const rpcs = SERVICES.flatMap(({ rpcs, streams }) => [...rpcs, ...streams]);
    const types = [
      "application/json",
      "application/proto",
      "application/connect+json",
      "application/connect+proto",
    ];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...rpcs.map(({ path }) => path)),
        fc.constantFrom(...types),
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.json({ maxDepth: 3 }).map((text) => Buffer.from(text)),
          fc.uint8Array({ maxLength: 60 }).map((bytes) => enveloped(0, bytes)),
        ),
        async (path, type, body) => {
          // A watch that begins would not end.
          const socket = new RawSocket(bridge.port);
          const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${body.length}\r\n\r\n`;
          await socket.say(Buffer.concat([Buffer.from(head), body]));
          await socket.until((received) => received.includes("\r\n\r\n"));
          socket.close();
          expect(socket.text).toMatch(/^HTTP\/1\.1 (200|400|404|409|415|429) /);
        },
      ),
      { numRuns: 300 },
    );
  });
});
