/** The bridges of stories: one for all of them, whose clock they move, or one of a story's own, which it may fill or kill. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bridge, type BridgeOptions, startBridge } from "snakepit-bridge";
import { LIMIT_SETTINGS } from "../../packages/bridge/src/core/limits.js";
import { ClockedBridge } from "../e2e/clocked.js";
import { root, TestProcess } from "../e2e/processes.js";
import type { BridgeMove, BridgeNeeds } from "./stories.js";

/** What a story may do with a bridge. */
export interface Server {
  readonly address: string;
  /** What its wall clock shows, in milliseconds; undefined if it goes by itself. */
  readonly wallMs: number | undefined;
  advance(ms: number): Promise<void>;
  move(move: BridgeMove): Promise<void>;
  end(): Promise<void>;
}

/** The bridge of all stories that need none of their own. */
export class SharedServer implements Server {
  readonly #bridge: ClockedBridge;
  wallMs = Date.UTC(2030, 0, 1);

  private constructor(bridge: ClockedBridge) {
    this.#bridge = bridge;
  }

  static async start(): Promise<SharedServer> {
    return new SharedServer(await ClockedBridge.start({ store: "memory" }));
  }

  get address(): string {
    return this.#bridge.address;
  }

  async advance(ms: number): Promise<void> {
    await this.#bridge.advance(ms);
    this.wallMs += ms;
  }

  async move(move: BridgeMove): Promise<void> {
    if (move === "freeze") this.#bridge.process.signal("SIGSTOP");
    else if (move === "thaw") this.#bridge.process.signal("SIGCONT");
    else throw new Error(`to ${move} the bridge a story needs one of its own`);
  }

  async end(): Promise<void> {
    await this.#bridge.process.end();
  }
}

/** Starts the bridge that a story needs for itself. */
export async function startOwn({ limits, failpoint }: BridgeNeeds): Promise<Server> {
  return limits === undefined ? MortalServer.start(failpoint) : SmallServer.start(limits);
}

/** A bridge with low limits, in this process, as it needs no other. */
class SmallServer implements Server {
  readonly wallMs = undefined;
  readonly #bridge: Bridge;

  private constructor(bridge: Bridge) {
    this.#bridge = bridge;
  }

  static async start(given: Readonly<Record<string, number>>): Promise<SmallServer> {
    const limits = Object.fromEntries(
      Object.entries(given).map(([setting, limit]) => [
        LIMIT_SETTINGS[setting as keyof typeof LIMIT_SETTINGS],
        limit,
      ]),
    ) as BridgeOptions["limits"] & object;
    return new SmallServer(await startBridge({ port: 0, logger: "silent", limits }));
  }

  get address(): string {
    return this.#bridge.address;
  }

  advance(): Promise<void> {
    throw new Error("the clock of a story's own bridge goes by itself");
  }

  move(move: BridgeMove): Promise<void> {
    throw new Error(`to ${move} a bridge needs a process of its own`);
  }

  end(): Promise<void> {
    return this.#bridge.close();
  }
}

const program = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");

/**
 * A bridge on a file and a port that it keeps for all its lives. The first is one of `serve`, which can be killed; the later ones are in
 * this process, as a process takes long to start.
 */
class MortalServer implements Server {
  readonly wallMs = undefined;
  readonly address: string;
  readonly #folder: string;
  readonly #first: TestProcess;
  #later: Bridge | undefined;

  private constructor(address: string, folder: string, first: TestProcess) {
    this.address = address;
    this.#folder = folder;
    this.#first = first;
  }

  static async start(failpoint: string | undefined): Promise<MortalServer> {
    const folder = mkdtempSync(join(tmpdir(), "snakepit-scenario-"));
    const args = [program, "serve", "--port", "0", "--store", storeIn(folder)];
    const env = failpoint === undefined ? {} : { SNAKEPIT_BRIDGE_FAILPOINT: failpoint };
    const first = new TestProcess(process.execPath, args, env);
    const [, address = ""] = await first.until(/listening on (\S+:\d+)/);
    return new MortalServer(address, folder, first);
  }

  advance(): Promise<void> {
    throw new Error("the clock of a story's own bridge goes by itself");
  }

  async move(move: BridgeMove): Promise<void> {
    switch (move) {
      case "kill":
        await this.#first.end("SIGKILL");
        return;
      case "gone":
        await this.#first.ended;
        return;
      case "start": {
        const port = Number(this.address.slice(this.address.lastIndexOf(":") + 1));
        this.#later = await startBridge({ port, store: storeIn(this.#folder), logger: "silent" });
        return;
      }
      case "end":
        await this.#later?.close();
        return;
      case "freeze":
      case "thaw":
        throw new Error("the bridge of all stories can be frozen");
    }
  }

  async end(): Promise<void> {
    await this.#first.end("SIGKILL");
    await this.#later?.close();
    rmSync(this.#folder, { recursive: true });
  }
}

function storeIn(folder: string): `sqlite:${string}` {
  return `sqlite:${join(folder, "bridge.db")}`;
}
