/** What the rows share: the processes, started when a row first needs them, all ended together. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NotHere } from "./case.js";
import { Child } from "./child.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const launcher = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");
const python = join(root, ".venv", process.platform === "win32" ? "Scripts/python.exe" : "bin/python");

/** A server that listens. */
export interface Server {
  readonly child: Child;
  /** Host and port. */
  readonly address: string;
}

export class Stage {
  readonly #profiles: string | undefined;
  readonly #children: Child[] = [];
  readonly #shared = new Map<string, Promise<unknown>>();

  /** `profiles` is the folder where servers write their CPU profiles when they end, each into a folder of its name. */
  constructor(profiles?: string) {
    this.#profiles = profiles;
    process.once("exit", () => {
      for (const child of this.#children) child.kill();
    });
  }

  /** What `make` makes the first time it is asked for under this key. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#shared.get(key) as Promise<T> | undefined) ?? make();
    this.#shared.set(key, made);
    return made;
  }

  /** The real bridge in its own process; `store` is as in `--store`. */
  bridge(store = "memory"): Promise<Server> {
    return this.once(`bridge ${store}`, async () => {
      const command = ["serve", "--host", "127.0.0.1", "--port", "0", "--store", store];
      const child = await this.#run("bridge", process.execPath, [
        ...this.#profiling("bridge"),
        launcher,
        ...command,
      ]);
      const line = await child.line();
      const address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
      if (address === undefined)
        throw new Error(`the bridge said ${JSON.stringify(line)}, which has no address`);
      return { child, address };
    });
  }

  /** A server of `programs/`; its first line is its address. */
  async server(program: string, label: string, ...args: string[]): Promise<Server> {
    const child = await this.#node(program, label, this.#profiling(label), args);
    return { child, address: await child.line() };
  }

  /** A program of `programs/` that is asked to put load on something. */
  program(program: string): Promise<Child> {
    return this.once(program, () => this.#node(program, program, [], []));
  }

  /** The same in Python, in the project's environment. */
  pythonProgram(program: string): Promise<Child> {
    return this.once(program, async () => {
      if (!existsSync(python)) throw new NotHere("there is no .venv; `npm run setup` makes it");
      return this.#run(program, python, [programPath(program)]);
    });
  }

  /** How processes ended that nobody asked to end: the reason for whatever failed since. */
  get deaths(): string[] {
    return this.#children.flatMap(({ death }) => death ?? []);
  }

  /** Ends everything, clients before servers. */
  async end(): Promise<void> {
    while (this.#children.length > 0) await this.#children.pop()?.end();
    this.#shared.clear();
  }

  #node(program: string, label: string, flags: readonly string[], args: readonly string[]): Promise<Child> {
    return this.#run(label, process.execPath, [...flags, "--import", "tsx", programPath(program), ...args]);
  }

  #profiling(label: string): string[] {
    if (this.#profiles === undefined) return [];
    return ["--cpu-prof", "--cpu-prof-dir", join(this.#profiles, label)];
  }

  async #run(label: string, command: string, args: readonly string[]): Promise<Child> {
    const child = await Child.start(label, command, args);
    this.#children.push(child);
    return child;
  }
}

function programPath(program: string): string {
  return fileURLToPath(new URL(`../programs/${program}`, import.meta.url));
}
