/** A program that plays along in a process of its own, and all that it has told. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { python, TestProcess } from "../../e2e/processes.js";
import type { Order, Over, Told } from "./tale.js";

const here = fileURLToPath(new URL(".", import.meta.url));

export type Language = "typescript" | "aio" | "sync";

/** Without its number. */
type Task = Order extends infer O ? (O extends Order ? Omit<O, "order"> : never) : never;

/** How long a program may have nothing to tell: longer than anything that it waits for. */
const PATIENCE_MS = 120_000;

export class Player {
  readonly name: Language;
  readonly tale: Told[] = [];
  /** Rejects when it ends without having been told to. */
  readonly failed: Promise<never>;
  readonly #process: TestProcess;
  readonly #done = new Map<number, () => void>();
  readonly #hear: (told: Told, player: Player) => void;
  #orders = 0;
  #isEnding = false;

  /** `hear` is called with all that it tells. */
  constructor(
    language: Language,
    address: string,
    sessionId: string,
    hear: (told: Told, player: Player) => void,
  ) {
    this.name = language;
    this.#hear = hear;
    const args = [address, sessionId, language];
    this.#process =
      language === "typescript"
        ? new TestProcess(process.execPath, ["--import", "tsx", join(here, "program.ts"), ...args])
        : new TestProcess(python, [join(here, "program.py"), language, ...args]);
    this.failed = this.#read();
    this.failed.catch(() => {});
  }

  /** Orders something; done when it is carried out. */
  async do(task: Task): Promise<void> {
    const order = ++this.#orders;
    const done = new Promise<void>((resolve) => this.#done.set(order, resolve));
    this.#process.write(`${JSON.stringify({ order, ...task })}\n`);
    await Promise.race([done, this.failed]);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.signal(signal);
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    await this.#process.end("SIGKILL");
  }

  async #read(): Promise<never> {
    for (;;) {
      const line = await this.#process.line(PATIENCE_MS).catch((error: unknown) => {
        if (this.#isEnding) return new Promise<never>(() => {});
        throw new Error(`${this.name}: ${this.#process.stderr || error}`);
      });
      const told = JSON.parse(line) as Told | Over;
      if (told.tells === "over") {
        this.#done.get(told.order)?.();
        this.#done.delete(told.order);
      } else {
        this.tale.push(told);
        this.#hear(told, this);
      }
    }
  }
}
