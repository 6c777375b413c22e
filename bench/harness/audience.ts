/** Processes with watchers, and one more that tells them what they watch. */

import type { ToldOutcome } from "../programs/audience-watchers.js";
import type { Pace, TellOutcome } from "../programs/audience-writer.js";
import type { Telling } from "../programs/telling.js";
import type { Child } from "./child.js";
import type { Stage } from "./stage.js";
import { percentile } from "./statistics.js";

/** How long it may take to tell everybody everything, and to begin with it. */
const PATIENCE_MS = 120_000;

/** How some processes were told. */
export interface Delivered {
  readonly deliveries: number;
  /** From when it began to be told to the last delivery. */
  readonly seconds: number;
  /** From the telling to the line of the watcher that has it. */
  readonly p50Us: number;
  readonly p99Us: number;
}

export class Audience {
  readonly processes: readonly Child[];
  readonly #writer: Child;

  private constructor(writer: Child, processes: readonly Child[]) {
    this.#writer = writer;
    this.processes = processes;
  }

  /** So many processes, which all audiences of a stage share. */
  static async of(stage: Stage, count: number): Promise<Audience> {
    const numbers = Array.from({ length: count }, (_, i) => i + 1);
    const [writer, ...processes] = await Promise.all([
      stage.program("audience-writer.ts"),
      ...numbers.map((number) => stage.program("audience-watchers.ts", number)),
    ]);
    return new Audience(writer, processes);
  }

  /** Begins so many watchers, spread evenly. When this is done, they are told whatever is told from then on. */
  async open(telling: Telling, watchers: number): Promise<void> {
    const { port } = await this.#writer.ask<{ readonly port: number }>({ work: "open" }, PATIENCE_MS);
    // What they watch may have to be made first.
    await this.tell(telling, 0, { perSecond: 1, messages: 0 });
    const question = {
      ...telling,
      work: "open",
      watchers: watchers / this.processes.length,
      progressPort: port,
    };
    await this.#askAll(this.processes, question);
  }

  /** Has it told; done when all of it is accepted, whoever has it by then. */
  tell(telling: Telling, messageBytes: number, pace: Pace): Promise<TellOutcome> {
    return this.#writer.ask<TellOutcome>({ ...telling, work: "tell", messageBytes, pace }, PATIENCE_MS);
  }

  /** Waits until every watcher of some processes has been told all of it, once and in order. */
  async told({ messages, startUs }: TellOutcome, processes = this.processes): Promise<Delivered> {
    const outcomes = await this.#askAll<ToldOutcome>(processes, { work: "told", messages });
    const latencies = Float64Array.from(outcomes.flatMap(({ latenciesUs }) => latenciesUs)).sort();
    return {
      deliveries: outcomes.reduce((sum, { deliveries }) => sum + deliveries, 0),
      seconds: (Math.max(...outcomes.map(({ lastUs }) => lastUs)) - startUs) / 1_000_000,
      p50Us: percentile(latencies, 0.5),
      p99Us: percentile(latencies, 0.99),
    };
  }

  /** Lets all watchers go. */
  async close(): Promise<void> {
    await this.#askAll(this.processes, { work: "close" });
  }

  #askAll<Answer>(processes: readonly Child[], question: object): Promise<Answer[]> {
    return Promise.all(processes.map((process) => process.ask<Answer>(question, PATIENCE_MS)));
  }
}
