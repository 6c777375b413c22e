import { connect } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { RawClient } from "./doors/grpc/raw-client.contract.js";
import { type Bridge, type BridgeOptions, createEngine, startBridge } from "./server.js";
import { ManualClock } from "./testing/manual-clock.js";
import { VERSION } from "./version.js";
import { SessionService } from "./wire/gen/snakepit/bridge/v1/sessions_pb.js";

const open: Bridge[] = [];

afterEach(async () => {
  for (const bridge of open.splice(0)) await bridge.close();
});

async function start(options: BridgeOptions = {}): Promise<Bridge> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0, ...options });
  open.push(bridge);
  return bridge;
}

async function pinged(address: string): Promise<string> {
  const client = new RawClient(address);
  const { serverVersion } = await client.ok(SessionService.method.ping, {});
  client.close();
  return serverVersion;
}

/** IPv6 may be switched off where the tests run. */
const hasIpv6 = await start({ host: "::1" }).then(
  () => true,
  () => false,
);

describe("startBridge", () => {
  test("listens on a free port of 127.0.0.1, and says which", async () => {
    const bridge = await start();
    expect(bridge).toMatchObject({ host: "127.0.0.1", address: `127.0.0.1:${bridge.port}` });
    expect(bridge.port).toBeGreaterThan(0);
    expect(await pinged(bridge.address)).toBe(VERSION);
  });

  test("listens on a name", async () => {
    const bridge = await start({ host: "localhost" });
    expect(bridge.address).toBe(`localhost:${bridge.port}`);
    expect(await pinged(bridge.address)).toBe(VERSION);
  });

  test.runIf(hasIpv6)("listens on an IPv6 address", async () => {
    const bridge = await start({ host: "::1" });
    expect(bridge.address).toBe(`[::1]:${bridge.port}`);
    expect(await pinged(bridge.address)).toBe(VERSION);
  });

  test("gives each session an incarnation of its own", async () => {
    const { engine } = await start();
    const created = await Promise.all(
      ["a", "b"].map((sessionId) =>
        engine.dispatch({ name: "test" }, { kind: "createSession", sessionId, metadata: [] }),
      ),
    );
    const incarnations = created.map((reply) => "session" in reply && reply.session.revision.incarnation);
    expect(new Set(incarnations).size).toBe(2);
    for (const incarnation of incarnations) expect(incarnation).toMatch(/^[0-9a-f]{32}$/);
  });

  test("releases the port", async () => {
    const { port, close } = await start();
    await close();
    const socket = connect(port, "127.0.0.1");
    const error = await new Promise((resolve) => socket.once("error", resolve));
    expect(error).toMatchObject({ code: "ECONNREFUSED" });
    expect(await start({ port })).toMatchObject({ port });
  });

  test("a port in use is one clear error, and the other bridge goes on", async () => {
    const { port, address } = await start();
    await expect(start({ port })).rejects.toThrow(
      `cannot listen on 127.0.0.1:${port}: the port is in use; take another one, or 0 for any that is free`,
    );
    expect(await pinged(address)).toBe(VERSION);
  });

  test.each([
    ["no.such.host.invalid", /^cannot listen on no\.such\.host\.invalid:0: the host name is not known$/],
    ["192.0.2.1", /^cannot listen on 192\.0\.2\.1:0: this machine does not have that address$/],
  ])("a host that is not this machine, %s, is one clear error", async (host, message) => {
    await expect(start({ host })).rejects.toThrow(message);
  });

  test.each<[BridgeOptions, string]>([
    [{ store: "redis://x" }, 'store "redis://x" is not available; available: memory'],
    [{ port: 65_536 }, "port is 65536; it has to be a whole number from 0 to 65535"],
    [{ port: 1.5 }, "port is 1.5; it has to be a whole number from 0 to 65535"],
    [{ host: "" }, "host is empty"],
    [
      { allowOrigins: ["localhost:5173"] },
      '"localhost:5173" is no origin: write it as http://localhost:5173',
    ],
    [{ allowOrigins: ["*"] }, '"*" is no origin'],
    [{ logger: "loud" }, /log level "loud" is unknown; known are trace, .*silent/] as never,
    [{ defaultTtlMs: -1 }, /^defaultTtlMs is -1; /] as never,
    [{ graceMs: Number.NaN }, /^graceMs is NaN; /] as never,
    [{ limits: { maxItems: 0 } }, /^limit max-items is 0; it has to be a whole number from 1 to /] as never,
    [{ limits: { maxMessageBytes: 2 ** 29 + 1 } }, /^limit max-message-bytes is 536870913; /] as never,
    [{ limits: { maxSessionBytes: 2 ** 29 + 1 } }, /^limit max-session-bytes is 536870913; /] as never,
  ])("%j is refused", async (options, message) => {
    await expect(start(options)).rejects.toThrow(message);
    await expect(start(options)).rejects.toBeInstanceOf(RangeError);
  });

  test("the options are filled in and frozen", async () => {
    const { options } = await start({ limits: { maxItems: 7 }, allowOrigins: ["http://localhost:5173"] });
    expect(options).toMatchObject({
      host: "127.0.0.1",
      store: "memory",
      allowOrigins: ["http://localhost:5173"],
      defaultTtlMs: 3_600_000,
      limits: { maxItems: 7, maxVariables: 10_000 },
    });
    expect(Object.isFrozen(options) && Object.isFrozen(options.limits)).toBe(true);
  });
});

test("an engine needs no port, and goes by the clock it is given", async () => {
  const clock = new ManualClock();
  const engine = await createEngine({ clock, defaultTtlMs: 1_000 });
  const ask = (kind: "getSession" | "heartbeat") =>
    engine.dispatch({ name: "test" }, { kind, sessionId: "s" });
  await engine.dispatch({ name: "test" }, { kind: "createSession", sessionId: "s", metadata: [] });
  clock.advance(999);
  expect(await ask("heartbeat")).toMatchObject({ kind: "heartbeat" });
  clock.advance(1_000);
  expect(await ask("getSession")).toMatchObject({ reason: "SESSION_NOT_FOUND" });
  await engine.close();
});
