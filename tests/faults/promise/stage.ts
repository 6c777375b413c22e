/** What the tests of the promise play on: a bridge on a file, a proxy before it, a program in each language, and all commits. */
import { ToxicProxy } from "../toxic-proxy.js";
import { KilledBridge } from "./bridge.js";
import { RunCommits } from "./commits.js";
import { Players } from "./players.js";

export const SESSION = "run";
/** So many writes are under way at once. */
const ABREAST = 50;

export class Stage {
  readonly bridge: KilledBridge;
  readonly proxy: ToxicProxy;
  readonly players: Players;
  readonly commits: RunCommits;
  #written = 0;

  private constructor(bridge: KilledBridge, proxy: ToxicProxy) {
    this.bridge = bridge;
    this.proxy = proxy;
    this.players = new Players(proxy.address, SESSION);
    this.commits = new RunCommits(bridge.file, SESSION);
  }

  static async open(seed = 1): Promise<Stage> {
    const bridge = await KilledBridge.start();
    return new Stage(bridge, await ToxicProxy.start(bridge.port, seed));
  }

  /** Watches stand before there is anything; then the session begins. */
  async begin(): Promise<void> {
    await this.players.do((player) => player.do({ do: "watch", watch: "all", names: [] }));
    await this.players.do((player) => player.do({ do: "watch", watch: "pairs", names: ["a", "b"] }));
    await this.bridge.directly(async (client) => {
      await client.sessions.createSession(SESSION, { ttlMs: 0 });
      const session = await client.session(SESSION);
      await session.setMany({ a: "", b: "" });
      for (const name of ["counter", "total"]) await session.register(name, "integer", 0);
    });
    await this.commits.gather();
  }

  /** Sets the pair so often past the proxy, each time to about so many bytes. Answers the last revision. */
  write(times: number, bytes: number): Promise<number> {
    return this.bridge.directly(async (client) => {
      const session = await client.session(SESSION);
      let [left, last] = [times, 0];
      const writeOn = async (): Promise<void> => {
        while (left-- > 0) {
          const text = `${++this.#written} `.padEnd(bytes / 2, "x");
          const { revision = 0 } = await session.setMany({ a: text, b: text });
          last = Math.max(last, revision);
        }
      };
      await Promise.all(Array.from({ length: ABREAST }, writeOn));
      return last;
    });
  }

  async close(): Promise<void> {
    await this.players.end();
    await this.proxy.close();
  }
}
