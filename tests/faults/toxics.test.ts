/** What toxics make of bytes: decided in numbers, and done to real sockets. */
import { once } from "node:events";
import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { endAll, root, TestProcess } from "../e2e/processes.js";
import { ToxicProxy } from "./toxic-proxy.js";
import { Course, Laid, type Toxic } from "./toxics.js";

const lay = (...toxics: Toxic[]): Laid[] => toxics.map((toxic) => new Laid("down", toxic, 1));
const course = (connection = 1): Course => new Course(connection, () => 0.5);

describe("decided", () => {
  test("nothing laid, all is passed on at once", () => {
    expect(course().take(100, 7, [])).toEqual({ pieces: [{ bytes: 100, at: 7 }], end: undefined });
  });

  test("latency moves everything, and nothing overtakes what came before", () => {
    const random = vi.fn().mockReturnValueOnce(1).mockReturnValue(0);
    const jittered = new Course(1, random);
    const laid = lay({ kind: "latency", ms: 100, jitterMs: 50 });
    expect(jittered.take(1, 0, laid).pieces).toEqual([{ bytes: 1, at: 150 }]);
    expect(jittered.take(1, 10, laid).pieces).toEqual([{ bytes: 1, at: 150 }]);
    expect(jittered.take(1, 60, laid).pieces).toEqual([{ bytes: 1, at: 160 }]);
    // Nor when it was lifted.
    expect(jittered.take(1, 61, []).pieces).toEqual([{ bytes: 1, at: 160 }]);
  });

  test("bandwidth adds up, also over slices", () => {
    const slow = course();
    const laid = lay({ kind: "bandwidth", bytesPerSecond: 1_000 }, { kind: "slices", bytes: 40 });
    expect(slow.take(100, 0, laid).pieces).toEqual([
      { bytes: 40, at: 40 },
      { bytes: 40, at: 80 },
      { bytes: 20, at: 100 },
    ]);
    expect(slow.take(10, 50, laid).pieces).toEqual([{ bytes: 10, at: 110 }]);
    expect(slow.take(10, 500, laid).pieces).toEqual([{ bytes: 10, at: 510 }]);
  });

  test("a black hole swallows all, and what is half open only what stood when it was laid", () => {
    const nothing = { pieces: [], end: undefined };
    const [all, standing] = [lay({ kind: "silence", of: "all" }), lay({ kind: "silence", of: "standing" })];
    expect([course(1).take(9, 0, all), course(2).take(9, 0, all)]).toEqual([nothing, nothing]);
    expect(course(1).take(9, 0, standing)).toEqual(nothing);
    expect(course(2).take(9, 0, standing).pieces).toEqual([{ bytes: 9, at: 0 }]);
  });

  test("a cut passes on the last byte before it and none after", () => {
    const laid = lay({ kind: "cutAfter", bytes: 150, how: "close" });
    const cut = course();
    expect(cut.take(100, 0, laid)).toEqual({ pieces: [{ bytes: 100, at: 0 }], end: undefined });
    expect(cut.take(100, 0, laid)).toEqual({ pieces: [{ bytes: 50, at: 0 }], end: "close" });
    expect(course(2).take(150, 0, laid)).toMatchObject({ end: "close" });
    expect(course(3).take(9, 0, lay({ kind: "reset" }))).toEqual({ pieces: [], end: "reset" });
  });

  test("random cuts are the same for the same seed, in all places below the end, and so many", () => {
    const cuts = (seed: number) => {
      const [laid] = lay({ kind: "cutAtRandom", below: 10, seed, times: 200 }) as [Laid];
      return Array.from({ length: 201 }, () => laid.nextCut());
    };
    expect(cuts(1)).toEqual(cuts(1));
    expect(cuts(2)).not.toEqual(cuts(1));
    expect(new Set(cuts(1).map((cut) => cut?.bytes))).toEqual(
      new Set([...Array.from({ length: 10 }, (_, i) => i), undefined]),
    );
    expect(new Set(cuts(1).map((cut) => cut?.how))).toEqual(new Set(["reset", "close", undefined]));
    expect(cuts(1).indexOf(undefined)).toBe(200);
  });

  test("a slow close comes later, and after all bytes", () => {
    expect(course().endAt(5, lay({ kind: "slowClose", ms: 100 }))).toBe(105);
    const late = course();
    late.take(1, 0, lay({ kind: "latency", ms: 500, jitterMs: 0 }));
    expect(late.endAt(5, lay({ kind: "slowClose", ms: 100 }))).toBe(500);
  });
});

/** A socket, and what it was told. */
class End {
  readonly socket: Socket;
  told = "";
  end: "open" | "ended" | "reset" = "open";

  constructor(socket: Socket) {
    this.socket = socket;
    socket.setEncoding("latin1").on("data", (text: string) => {
      this.told += text;
    });
    socket.on("end", () => {
      this.end = "ended";
    });
    socket.on("error", () => {
      this.end = "reset";
    });
  }

  async hears(told: string, end: End["end"] = "open"): Promise<void> {
    await vi.waitFor(() => expect({ told: this.told, end: this.end }).toEqual({ told, end }), 20_000);
  }
}

describe("done to sockets", () => {
  let server: Server;
  let proxy: ToxicProxy;
  const sockets: Socket[] = [];

  beforeEach(async () => {
    server = createServer({ allowHalfOpen: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    proxy = await ToxicProxy.start(portOf(server));
  });
  afterEach(async () => {
    for (const socket of sockets.splice(0)) socket.destroy();
    await proxy.close();
    server.close();
    await endAll();
  });

  const portOf = (listening: Server): number => (listening.address() as { port: number }).port;

  async function connect(address = proxy.address): Promise<{ client: End; service: End }> {
    const accepted = once(server, "connection");
    const near = tcpConnect({ port: Number(address.split(":")[1]), host: "127.0.0.1", allowHalfOpen: true });
    // From here on: it may be reset before the other end is there.
    const client = new End(near);
    const [far] = (await accepted) as [Socket];
    sockets.push(near, far);
    return { client, service: new End(far) };
  }

  test("bytes go both ways, whole and in order, whatever delays and slices them", async () => {
    proxy.lay("late", "down", { kind: "latency", ms: 3, jitterMs: 5 });
    proxy.lay("small", "down", { kind: "slices", bytes: 7 });
    proxy.lay("narrow", "up", { kind: "bandwidth", bytesPerSecond: 2_000_000 });
    proxy.lay("slow", "up", { kind: "slowClose", ms: 5 });
    const { client, service } = await connect();
    const text = Array.from({ length: 100_000 }, (_, i) => String(i % 10)).join("");
    client.socket.write(text);
    service.socket.write(text.slice(0, 3_000));
    client.socket.end("the end");
    await service.hears(`${text}the end`, "ended");
    service.socket.end("!");
    await client.hears(`${text.slice(0, 3_000)}!`, "ended");
    await vi.waitFor(() => expect(proxy.open).toBe(0));
  });

  test("a connection that is cut is told exactly so much, and new ones work", async () => {
    proxy.lay("cut", "down", { kind: "cutAfter", bytes: 10, how: "close" });
    const { client, service } = await connect();
    service.socket.write("0123456789abc");
    await client.hears("0123456789", "ended");
    proxy.lift("cut");
    const again = await connect();
    again.service.socket.write("0123456789abc");
    await again.client.hears("0123456789abc");
    expect(proxy).toMatchObject({ connections: 2, cuts: 1 });
  });

  test("a reset is one, and ends both sides", async () => {
    const { client, service } = await connect();
    client.socket.write("a");
    await service.hears("a");
    proxy.lay("reset", "up", { kind: "reset" });
    await client.hears("", "reset");
    await service.hears("a", "reset");
    const again = await connect();
    again.client.socket.write("b");
    await again.client.hears("", "reset");
    expect(proxy.cuts).toBe(2);
  });

  test("half open: one that stood hears nothing more and is not ended, a new one works", async () => {
    const { client, service } = await connect();
    service.socket.write("before");
    await client.hears("before");
    proxy.lay("gone", "down", { kind: "silence", of: "standing" });
    service.socket.write("swallowed");
    const again = await connect();
    again.service.socket.write("new");
    await again.client.hears("new");
    client.socket.write("the other way is open");
    await service.hears("the other way is open");
    await client.hears("before");
    proxy.lift("gone");
    service.socket.write(", after");
    await client.hears("before, after");
  });

  test("it can be steered from another process", async () => {
    const path = `${root}/tests/faults/proxy-process.ts`;
    const steered = new TestProcess(process.execPath, ["--import", "tsx", path, String(portOf(server))]);
    const address = (await steered.line()).replace("listening on ", "");
    const order = async (what: object): Promise<unknown> => {
      steered.write(`${JSON.stringify(what)}\n`);
      return JSON.parse(await steered.line());
    };
    const toxic: Toxic = { kind: "cutAfter", bytes: 3, how: "close" };
    await order({ do: "lay", name: "cut", direction: "up", toxic });
    const { client, service } = await connect(address);
    client.socket.write("abcdef");
    await service.hears("abc", "ended");
    await order({ do: "lift", name: "cut" });
    const again = await connect(address);
    again.client.socket.write("abcdef");
    await again.service.hears("abcdef");
    expect(await order({ do: "count" })).toMatchObject({ connections: 2, cuts: 1 });
    await order({ do: "cut" });
    await again.client.hears("", "reset");
  });
});
