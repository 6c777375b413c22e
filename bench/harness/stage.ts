/** What the rows share: the processes, started when a row first needs them, all ended together, and a folder for files. */
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { NotHere } from "./case.js";
import { Child } from "./child.js";
import { pathOf } from "./path.js";

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
  /** Nobody looks at the figures: what takes long to prepare may be small. */
  readonly quick: boolean;
  readonly #profiles: string | undefined;
  readonly #children: Child[] = [];
  readonly #shared = new Map<string, Promise<unknown>>();
  #folder: string | undefined;

  /** `profile` is the folder where servers write their CPU profiles when they end, each into a folder of its name. */
  constructor({ quick, profile }: { readonly quick: boolean; readonly profile?: string }) {
    this.quick = quick;
    this.#profiles = profile;
    process.once("exit", () => {
      for (const child of this.#children) void child.kill();
      this.#removeFolder();
    });
  }

  /** What `make` makes the first time it is asked for under this key. */
  once<T>(key: string, make: () => Promise<T>): Promise<T> {
    const made = (this.#shared.get(key) as Promise<T> | undefined) ?? make();
    this.#shared.set(key, made);
    return made;
  }

  /** A folder of this name for files of this run; all are on one file system, and gone when the run ends. */
  folder(name: string): string {
    this.#folder ??= mkdtempSync(join(tmpdir(), "snakepit-bench-"));
    const folder = join(this.#folder, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  /** The real bridge in a process of its own, as it is run; `store` is as in `--store`, `flags` are for Node. */
  async bridge(label: string, store: string, flags: readonly string[] = []): Promise<Server> {
    const command = [launcher, "serve", "--host", "127.0.0.1", "--port", "0", "--store", store];
    const child = await this.#run(label, process.execPath, [...this.#profiling(label), ...flags, ...command]);
    const line = await child.line();
    const address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (address === undefined) throw new Error(`${label} said ${JSON.stringify(line)}, which has no address`);
    return { child, address };
  }

  /** A server that is not ours, found on PATH. It listens once it has printed what `ready` fits. */
  async peer(program: string, args: readonly string[], ready: RegExp): Promise<Child> {
    const path = pathOf(program);
    if (path === undefined) throw new NotHere(`there is no ${program}; \`npm run peers\` installs it`);
    const child = await this.#run(program, path, args);
    await child.until(ready);
    return child;
  }

  /** A server of `programs/`; its first line is its address. */
  async server(program: string, label: string, ...args: string[]): Promise<Server> {
    const child = await this.#node(program, label, this.#profiling(label), args);
    return { child, address: await child.line() };
  }

  /** A program of `programs/` that is asked to put load on something; each number is a process of its own. */
  program(program: string, number = 0): Promise<Child> {
    const label = number === 0 ? program : `${program} ${number}`;
    return this.once(label, () => this.#node(program, label, [], []));
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
    this.#removeFolder();
  }

  #removeFolder(): void {
    // A process that has just been killed may still be making a file.
    const patience = { maxRetries: 5, retryDelay: 50 };
    if (this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true, ...patience });
    this.#folder = undefined;
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
