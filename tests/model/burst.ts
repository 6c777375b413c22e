/** Commands that are sent together, each before the one before it is answered, and what was answered to them so far. */
import type { Command, Reply } from "../../packages/bridge/src/core/commands.js";
import type { Refusal } from "../../packages/bridge/src/core/refusal.js";
import { ANYONE } from "../../packages/bridge/src/engine/principal.js";
import { Difference, show } from "./compare.js";
import type { Subject } from "./subject.js";

export class Burst {
  readonly commands: readonly Command[];
  readonly answers: (Reply | Refusal | undefined)[];
  readonly #sent: Promise<void>[];
  #error: unknown;

  constructor(subject: Subject, commands: readonly Command[]) {
    this.commands = commands;
    this.answers = commands.map(() => undefined);
    this.#sent = commands.map(async (command, i) => {
      try {
        this.answers[i] = await subject.dispatch(ANYONE, command);
      } catch (error) {
        this.#error ??= error;
      }
    });
  }

  /** Waits for all answers. */
  async wait(): Promise<void> {
    await Promise.all(this.#sent);
    this.expectNoError();
  }

  expectNoError(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  expectAnswers(): void {
    const unanswered = this.commands.filter((_, i) => this.answers[i] === undefined);
    if (unanswered.length > 0) throw new Difference(`never answered: ${show(unanswered)}`);
  }
}
