/** What the tests of the promise play on: a bridge on a file, a proxy before it, a program in each language, and all commits. */
import { ToxicProxy } from "../toxic-proxy.js";
import { KilledBridge } from "./bridge.js";
import { RunCommits } from "./commits.js";
import { beginSession, SESSION } from "./pairs.js";
import { Players } from "./players.js";

export class Stage {
  readonly bridge: KilledBridge;
  readonly proxy: ToxicProxy;
  readonly players: Players;
  readonly commits: RunCommits;

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
    await beginSession(this.bridge);
    await this.commits.gather();
  }

  async close(): Promise<void> {
    await this.players.end();
    await this.proxy.close();
  }
}
