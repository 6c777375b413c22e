/** The other end of `driver.py`: what a test says to Python, and what Python answers. */
import type { JsonValue } from "snakepit-bridge";
import { python, TestProcess } from "./processes.js";

/** A value with its type, as JSON can carry it. Floats come back as their bits in hex. */
export type Tagged =
  | { readonly float: string }
  | { readonly integer: string }
  | { readonly string: string }
  | { readonly boolean: boolean }
  /** With integers and floats told apart only where they are not whole. */
  | { readonly json: JsonValue };

/** How an operation ended. */
export interface Answer {
  readonly ok?: unknown;
  /** The class of the error. */
  readonly error?: string;
  readonly reason?: string;
  readonly text?: string;
  /** The reasons of the items of a refused batch. */
  readonly items?: Readonly<Record<string, string>>;
}

/** Python has two clients, which do the same. */
export type PythonClient = "asyncio" | "blocking";

export class PythonDriver {
  readonly #process: TestProcess;
  readonly #sessionId: string;

  constructor(address: string, sessionId: string, client: PythonClient) {
    const environment = { SNAKEPIT_BRIDGE_ADDRESS: address };
    this.#process = new TestProcess(python, ["tests/e2e/driver.py", client], environment);
    this.#sessionId = sessionId;
  }

  /** Has something done, and tells how it ended. */
  async attempt(op: string, details: Readonly<Record<string, unknown>> = {}): Promise<Answer> {
    this.#process.write(`${JSON.stringify({ session: this.#sessionId, op, ...details })}\n`);
    return JSON.parse(await this.#process.line()) as Answer;
  }

  /** Has something done that has to succeed. */
  async call(op: string, details: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    const answer = await this.attempt(op, details);
    if (answer.error === undefined) return answer.ok;
    throw new Error(`Python: ${answer.error}: ${answer.text}`);
  }

  async end(): Promise<void> {
    await this.#process.end();
  }
}

/** The bits of a float in hex; NaN has many, so it is only `nan`. */
export function bitsOf(value: number): string {
  if (Number.isNaN(value)) return "nan";
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString("hex");
}
