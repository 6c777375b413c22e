/**
 * The other end of a driver: a process in one language that does with its client what a test says, and tells how it ended.
 *
 * Both talk in lines of JSON. What is said has an `id`, which its answer repeats, so that several things can be under way:
 *
 *     { id, open: ACTOR, session: ID, address, strict, live } → { id, gives: null }    makes a context; nothing is sent
 *     { id, actor: ACTOR, do: METHOD, with: ARGUMENTS }     → { id, gives: RESULT } or { id, fails: ERROR }
 *     { id, forget: [ACTOR, …] }                            → { id, gives: null }    lets go of contexts
 *     { id, used: true }                                    → { id, gives: [METHOD, …] } that were called so far, as they are
 *                                                             called in the language
 *
 * Methods and arguments are those of stories (`spec/scenarios/README.md`). `{ id, broke: TEXT }` answers what no client may do.
 */
import { python, TestProcess } from "../e2e/processes.js";
import type { Json, JsonObject } from "../vectors/files.js";

/** The clients: Python has two, which do the same. */
export const CLIENTS = ["typescript", "asyncio", "blocking"] as const;
/** And that of pages, which is the one in TypeScript over HTTP. */
export const PLAYERS = [...CLIENTS, "page"] as const;
export type ClientName = (typeof PLAYERS)[number];

/** How a call ended. */
export interface Answer {
  readonly gives?: Json;
  /** The error: its class, reason, text and fields. */
  readonly fails?: JsonObject;
}

interface Line extends Answer {
  readonly id: number;
  readonly broke?: string;
}

/** Where an actor works. */
export interface Opening {
  readonly session: string;
  readonly address: string;
  readonly strict?: boolean;
  readonly live?: boolean;
}

export class Driver {
  readonly client: ClientName;
  readonly #process: TestProcess;
  readonly #answers = new Map<number, Line>();
  #said = 0;
  #reading: Promise<void> | undefined;

  constructor(client: ClientName) {
    this.client = client;
    this.#process =
      this.source === "typescript"
        ? new TestProcess(process.execPath, [
            "--import",
            "tsx",
            "tests/scenarios/typescript-driver.ts",
            client,
          ])
        : new TestProcess(python, ["python/tests/driver.py", client]);
  }

  /** What its client notes down as the language of the writer. */
  get source(): string {
    return this.client === "typescript" || this.client === "page" ? "typescript" : "python";
  }

  /** Makes an actor. */
  async open(actor: string, { strict = false, live = false, ...where }: Opening): Promise<void> {
    await this.#say({ open: actor, strict, live, ...where });
  }

  /** Has an actor call a method, and tells how it ended. */
  attempt(actor: string, method: string, given: JsonObject = {}): Promise<Answer> {
    return this.#say({ actor, do: method, with: given });
  }

  /** Has an actor call a method that has to succeed. */
  async call(actor: string, method: string, given: JsonObject = {}): Promise<Json> {
    const { gives = null, fails } = await this.attempt(actor, method, given);
    if (fails === undefined) return gives;
    throw new Error(`${this.client}: ${method}: ${fails["class"]}: ${fails["text"]}`);
  }

  async forget(actors: readonly string[]): Promise<void> {
    await this.#say({ forget: actors });
  }

  /** The methods that were called, by their names in the language. */
  async used(): Promise<ReadonlySet<string>> {
    return new Set((await this.#say({ used: true })).gives as string[]);
  }

  async end(): Promise<void> {
    await this.#process.end();
  }

  async #say(what: JsonObject): Promise<Answer> {
    const id = ++this.#said;
    this.#process.write(`${JSON.stringify({ id, ...what })}\n`);
    while (!this.#answers.has(id)) {
      // All who wait for an answer read together, as the next line may be anybody's.
      this.#reading ??= this.#read();
      await this.#reading;
    }
    const { broke, ...answer } = this.#answers.get(id) as Line;
    this.#answers.delete(id);
    if (broke !== undefined) throw new Error(`${this.client} broke on ${JSON.stringify(what)}:\n${broke}`);
    return answer;
  }

  async #read(): Promise<void> {
    try {
      const line = JSON.parse(await this.#process.line()) as Line;
      this.#answers.set(line.id, line);
    } finally {
      this.#reading = undefined;
    }
  }
}
