/** Noise from both languages, and from peers that speak something else: the server answers the next honest call. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { credentials, Client as GrpcClient, Metadata, status } from "@grpc/grpc-js";
import { type Bridge, type Client, connect, startBridge } from "snakepit-bridge";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { endAll, root, runPython } from "./processes.js";

/** Every method of the contract that has one answer. Noise that is a watch would be told of for ever: `channel-watch.test.ts`. */
const paths = ["sessions", "variables"].flatMap((file) => {
  const text = readContract(file);
  const [, service] = /^service (\w+)/m.exec(text) as RegExpExecArray;
  return [...text.matchAll(/^ {2}rpc (\w+)(?!.*\(stream )/gm)].map(
    ([, method]) => `/snakepit.bridge.v1.${service}/${method}`,
  );
});

function readContract(file: string): string {
  return readFileSync(join(root, "proto", "snakepit", "bridge", "v1", `${file}.proto`), "utf8");
}

/** What a server may say to nonsense. Never UNKNOWN or INTERNAL: those are for bugs. */
const verdicts = new Set(["OK", "INVALID_ARGUMENT", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNIMPLEMENTED"]);

let bridge: Bridge;
let client: Client;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent" });
  client = connect(bridge.address);
  await (await client.session("honest")).set("value", 1);
});

afterEach(async () => {
  const session = await client.session("honest");
  const { value, version } = await session.read("value");
  expect((await session.set("value", (value as number) + 1)).version).toBe(version + 1);
  await endAll();
});

afterAll(async () => {
  await client.close();
  await bridge.close();
});

test("every method is known here", () => {
  const commands = [...readContract("command").matchAll(/^ {4}\w+Request \w+ = \d+;$/gm)];
  expect(paths.length).toBe(commands.length);
  expect(paths.length).toBeGreaterThan(10);
});

describe("the server survives", () => {
  test("noise in every method, from TypeScript", async () => {
    const raw = new GrpcClient(bridge.address, credentials.createInsecure());
    const noise = random(7);
    const codes = new Set<string>();
    for (const path of paths) {
      for (let i = 0; i < 25; i++)
        codes.add(await send(raw, path, noise(i === 0 ? 0 : 1 + (noise(1)[0] as number) * 20)));
    }
    raw.close();
    expect([...codes].filter((code) => !verdicts.has(code))).toEqual([]);
  });

  test("noise in every method, from Python", async () => {
    const where = { SNAKEPIT_BRIDGE_ADDRESS: bridge.address };
    const { code, stdout, stderr } = await runPython("tests/e2e/hostile.py", ["25", ...paths], where);
    expect(code, stderr).toBe(0);
    const codes = JSON.parse(stdout) as Record<string, number>;
    expect(Object.values(codes).reduce((sum, count) => sum + count, 0)).toBe(25 * paths.length);
    expect(Object.keys(codes).filter((code) => !verdicts.has(code))).toEqual([]);
  });

  test("methods and services that do not exist", async () => {
    const raw = new GrpcClient(bridge.address, credentials.createInsecure());
    expect(await send(raw, "/snakepit.bridge.v1.VariableService/Explode", Buffer.alloc(3))).toBe(
      "UNIMPLEMENTED",
    );
    expect(await send(raw, "/no.such.Service/Call", Buffer.alloc(0))).toBe("UNIMPLEMENTED");
    raw.close();
  });

  test("a message over the limit, which is refused by name", async () => {
    const session = await client.session("honest");
    await expect(session.set("value", "x".repeat(5 * 1_048_576))).rejects.toMatchObject({
      name: "LimitError",
    });
    await expect(session.set("text", "x".repeat(1_048_577))).rejects.toMatchObject({
      name: "LimitError",
      setting: "max-value-bytes",
    });
  });

  test.each([
    ["nothing at all", Buffer.alloc(0)],
    ["random bytes", random(3)(10_000)],
    ["HTTP/1.1", Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n")],
    ["half a preface", Buffer.from("PRI * HTTP/2.0\r\n\r\nSM")],
    [
      "a preface and then noise",
      Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), random(5)(10_000)]),
    ],
    ["a TLS greeting", Buffer.from("16030100c8010000c40303", "hex")],
  ])("a connection that says %s", async (_, bytes) => {
    const socket = createConnection(bridge.port, "127.0.0.1");
    socket.on("error", () => {});
    await once(socket, "connect");
    await new Promise((sent) => socket.write(bytes.length === 0 ? "\0" : bytes, sent));
    socket.destroy();
    await client.ping();
  });

  test("hundreds of connections that are dropped in the middle of a call", async () => {
    const ends = Array.from({ length: 200 }, async () => {
      const raw = new GrpcClient(bridge.address, credentials.createInsecure(), {
        "grpc.use_local_subchannel_pool": 1,
      });
      const answer = send(raw, paths[0] as string, Buffer.alloc(0));
      raw.close();
      return answer;
    });
    await Promise.all(ends);
    await client.ping();
  });
});

function send(raw: GrpcClient, path: string, bytes: Buffer): Promise<string> {
  const same = (value: Buffer): Buffer => value;
  return new Promise((resolve) => {
    const deadline = new Date(Date.now() + 10_000);
    raw.makeUnaryRequest(path, same, same, bytes, new Metadata(), { deadline }, (error) => {
      resolve(error === null ? "OK" : (status[error.code] ?? String(error.code)));
    });
  });
}

/** Bytes that look random and are the same each time. */
function random(seed: number): (length: number) => Buffer {
  let state = seed;
  return (length) =>
    Buffer.from(
      Array.from({ length }, () => {
        state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
        return state >>> 24;
      }),
    );
}
