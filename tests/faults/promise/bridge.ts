/** A bridge on a file that is killed and started again at the same address. */
import { join } from "node:path";
import { type Client, connect } from "snakepit-bridge";
import { listening, makeFolder, type Server, startProgram } from "../../crash/server.js";

export class KilledBridge {
  readonly file: string;
  kills = 0;
  #server: Server;

  readonly #before: readonly string[];

  private constructor(file: string, server: Server, before: readonly string[]) {
    this.file = file;
    this.#server = server;
    this.#before = before;
  }

  /** `before` is what it is run under. */
  static async start(before: readonly string[] = []): Promise<KilledBridge> {
    const file = join(await makeFolder(), "bridge.db");
    return new KilledBridge(file, await serve(file, "0", before), before);
  }

  get address(): string {
    return this.#server.address;
  }

  get port(): number {
    return Number(this.address.split(":")[1]);
  }

  get pid(): number {
    return this.#server.process.pid;
  }

  /** Kills it: done when it is gone. */
  async kill(): Promise<void> {
    this.kills++;
    await this.#server.process.end("SIGKILL");
  }

  async startAgain(): Promise<void> {
    this.#server = await serve(this.file, String(this.port), this.#before);
  }

  /** Asks it past whatever is on the way to it. */
  async directly<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = connect(this.address, { timeoutMs: 30_000 });
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  }

  /** Ends it in an orderly way and has the file looked through. Throws if either goes wrong. */
  async verify(): Promise<string> {
    const { process } = this.#server;
    const code = await process.end();
    if (code !== 0) throw new Error(`the bridge ended with ${code}: ${process.stderr}`);
    const verify = startProgram(["verify", this.file]);
    if ((await verify.ended) !== 0) throw new Error(`verify: ${verify.output}`);
    return verify.output.trim().replaceAll("\n", "; ");
  }
}

async function serve(file: string, port: string, before: readonly string[]): Promise<Server> {
  const store = ["--store", `sqlite:${file}`];
  return listening(startProgram(["serve", "--port", port, ...store, "--log-level", "silent"], before));
}
