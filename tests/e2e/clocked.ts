/** The other end of `clocked-bridge.ts`: a bridge in a process of its own, whose clock a test moves. */
import { TestProcess } from "./processes.js";

/** What a clocked bridge may be given. */
export interface ClockedOptions {
  /** As in `--store`. */
  readonly store: string;
  /** What its two clocks show at the beginning, in milliseconds. */
  readonly now?: number;
  readonly wall?: number;
}

export class ClockedBridge {
  readonly process: TestProcess;
  readonly address: string;

  private constructor(process: TestProcess, address: string) {
    this.process = process;
    this.address = address;
  }

  /** Starts one, and waits until it listens. */
  static async start(options: ClockedOptions): Promise<ClockedBridge> {
    const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    const bridge = new TestProcess(process.execPath, ["--import", "tsx", "tests/clocked-bridge.ts", ...args]);
    const line = await bridge.line();
    return new ClockedBridge(bridge, line.replace("listening on ", ""));
  }

  /** Lets time pass on both clocks; done when all timers that became due have fired. */
  advance(ms: number): Promise<void> {
    return this.#tell(`advance ${ms}`);
  }

  /** Moves the wall clock alone. */
  jumpWall(ms: number): Promise<void> {
    return this.#tell(`jump ${ms}`);
  }

  async #tell(command: string): Promise<void> {
    this.process.write(`${command}\n`);
    const answer = await this.process.line();
    if (answer !== "done") throw new Error(answer);
  }
}
