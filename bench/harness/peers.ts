/** The servers that the bridge is measured beside, each with a new and empty folder on the same file system as ours. */
import { freePort } from "./free-port.js";
import type { Server, Stage } from "./stage.js";

/** Redis with one durable file, its log, which is on disk before a write is answered. */
export function durableRedis(stage: Stage): Promise<Server> {
  return redis(stage, "redis", { appendonly: "yes", appendfsync: "always" });
}

/** The one Redis that keeps nothing on disk. */
export function redisInMemory(stage: Stage): Promise<Server> {
  return stage.once("Redis in memory", () => redis(stage, "redis-memory", { appendonly: "no" }));
}

async function redis(stage: Stage, folder: string, persistence: Record<string, string>): Promise<Server> {
  const port = await freePort();
  const settings = {
    bind: "127.0.0.1",
    port: String(port),
    dir: stage.folder(folder),
    ...persistence,
    // No snapshots.
    save: "",
  };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
  const child = await stage.peer("redis-server", args, /Ready to accept connections/);
  return { child, address: `127.0.0.1:${port}` };
}

/** A cluster of one etcd. Its log is on disk before a write is answered; it knows no other way. */
export async function etcd(stage: Stage): Promise<Server> {
  const address = `127.0.0.1:${await freePort()}`;
  const url = `http://${address}`;
  const args = [
    ...["--data-dir", stage.folder("etcd")],
    ...["--listen-client-urls", url, "--advertise-client-urls", url],
    ...["--listen-peer-urls", "http://127.0.0.1:0"],
    ...["--logger", "zap", "--log-outputs", "stdout"],
  ];
  return { child: await stage.peer("etcd", args, /serving client traffic|serving insecure client/), address };
}
