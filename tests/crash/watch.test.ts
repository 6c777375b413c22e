/**
 * Watches of a bridge on a file that is killed, or ends, and starts again: they go on where they were, are told every commit
 * once, and never one that was lost (P5, P6).
 */
import { join } from "node:path";
import { type Client, connect } from "snakepit-bridge";
import { afterEach, expect, test, vi } from "vitest";
import { endAll } from "../e2e/processes.js";
import { witnessWatches } from "../witness.js";
import { keptCommits } from "./kept-commits.js";
import { listening, makeFolder, removeFolders, type Server, startProgram } from "./server.js";

const witness = witnessWatches();

const clients: Client[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
  await endAll();
  removeFolders();
});

function clientOf(address: string): Client {
  const client = connect(address, { timeoutMs: 20_000 });
  clients.push(client);
  return client;
}

async function serve(file: string, port = "0"): Promise<Server> {
  const store = ["--store", `sqlite:${file}`];
  return listening(startProgram(["serve", "--port", port, ...store, "--log-level", "silent"]));
}

test.each(["SIGKILL", "SIGTERM"] as const)(
  "a watch goes on over %s and a restart, and is told every commit once [ORD-4 accepts] [ORD-6 accepts]",
  async (signal) => {
    const file = join(await makeFolder(), "bridge.db");
    let server = await serve(file);
    const port = server.address.split(":")[1] as string;
    const session = await clientOf(server.address).session("run");
    const watch = clientOf(server.address).sessions.watch("run");
    await watch.ready();
    const told: { readonly revision: number; readonly value: unknown }[] = [];
    const reading = (async () => {
      for await (const { revision, changes } of watch) told.push({ revision, value: changes[0]?.value });
    })();
    let acknowledged = 0;
    let writing = true;
    let value = 0;
    const writers = Array.from({ length: 4 }, async () => {
      while (writing) {
        const mine = ++value;
        try {
          acknowledged = Math.max(acknowledged, (await session.set("a", mine)).revision);
        } catch {
          // The bridge is away. What became of it shows at the end.
          await new Promise(setImmediate);
        }
      }
    });
    for (let life = 1; life <= 3; life++) {
      const before = told.length;
      await vi.waitFor(() => expect(told.length).toBeGreaterThan(before + 20), { timeout: 20_000 });
      await server.process.end(signal);
      server = await serve(file, port);
    }
    const before = told.length;
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(before + 20), { timeout: 20_000 });
    writing = false;
    await Promise.all(writers);
    const { revision } = await session.info();
    await vi.waitFor(() => expect(told.at(-1)?.revision).toBe(revision), { timeout: 20_000 });
    await watch.return();
    await reading;
    expect(revision).toBeGreaterThanOrEqual(acknowledged);
    expect(told.map((each) => each.revision)).toEqual(Array.from({ length: told.length }, (_, i) => i + 2));
    // What was told is what is kept.
    const { entries } = await session.history("a");
    for (const entry of entries)
      expect(told[entry.revision - 2]).toEqual({ revision: entry.revision, value: entry.value });
    witness.knows("run", await keptCommits(file, "run"));
  },
);

test("a point is good in another life of the bridge, as far back as commits are kept [ORD-4 refuses]", async () => {
  const file = join(await makeFolder(), "bridge.db");
  const first = await serve(file);
  const session = await clientOf(first.address).session("run");
  const watch = session.watch();
  await watch.ready();
  const start = watch.point as string;
  const point = async (): Promise<string> => {
    const here = session.watch();
    await here.ready();
    await here.return();
    return here.point as string;
  };
  for (let i = 0; i < 5; i++) await session.set("a", i);
  const early = await point();
  for (let i = 0; i < 20; i++) await session.set("a", i);
  await first.process.end("SIGKILL");
  const second = await serve(file);
  const { sessions } = clientOf(second.address);
  const again = sessions.watch("run", { after: early });
  for (let i = 0; i < 20; i++) expect((await again.next()).value).toMatchObject({ changes: [{ value: i }] });
  expect((await sessions.watch("run", { after: start }).next()).value).toMatchObject({ revision: 2 });
  const another = start.replace(/.{16}$/, "0123456789abcdef");
  await expect(sessions.watch("run", { after: another }).next()).rejects.toMatchObject({
    reason: "WATCH_GAP",
  });
  witness.knows("run", await keptCommits(file, "run"));
});
