/** Calls of a page over connections that break again and again: each write is carried out once, and no read goes back. */
import { connect as connectTcp, createServer, type Server, type Socket } from "node:net";
import { afterEach, expect, test } from "vitest";
import { startBridge } from "../../server.js";
import { connect } from "../web-connect.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** A way to a bridge on which each connection breaks after so many bytes, in either direction. */
async function fragile(port: number, bytes: () => number): Promise<{ url: string; broken(): number }> {
  let broken = 0;
  const sockets = new Set<Socket>();
  const front: Server = createServer((near) => {
    const far = connectTcp(port, "127.0.0.1");
    let left = bytes();
    const end = (): void => {
      near.destroy();
      far.destroy();
    };
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on("error", end);
      from.on("close", () => {
        sockets.delete(from);
        end();
      });
      from.on("data", (piece: Buffer) => {
        left -= piece.length;
        if (left > 0) return to.write(piece);
        broken++;
        return end();
      });
    }
  });
  await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    front.close();
    for (const socket of sockets) socket.destroy();
  });
  const address = front.address();
  const frontPort = typeof address === "object" ? address?.port : 0;
  return { url: `http://127.0.0.1:${frontPort}`, broken: () => broken };
}

test("every write is carried out once, and what is read never goes back [ORD-15 accepts] [ORD-1 accepts]", {
  timeout: 60_000,
}, async () => {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  stops.push(() => bridge.close());
  let seed = 7;
  const { url, broken } = await fragile(bridge.port, () => {
    seed = (seed * 48_271) % 2_147_483_647;
    return 1_000 + (seed % 12_000);
  });
  const client = connect(url, { timeoutMs: 30_000 });
  stops.push(() => client.close());
  const session = await client.session("s");
  await session.register("n", "integer", 0);
  let last = 0;
  for (let i = 1; i <= 150; i++) {
    const { value } = await session.increment("n");
    expect(value).toBe(i);
    const read = await session.get("n");
    expect(read).toBeGreaterThanOrEqual(Math.max(last, i));
    last = Number(read);
  }
  expect(last).toBe(150);
  expect(broken()).toBeGreaterThan(10);
});
