/** What clients of this process publish for those who operate them, while a test listens. */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Notice } from "../../packages/bridge/src/client/operator.js";

const CHANNEL = "snakepit-bridge";

export class Notices {
  readonly all: Notice[] = [];
  readonly #take = (message: unknown): void => {
    this.all.push(message as Notice);
  };

  constructor() {
    subscribe(CHANNEL, this.#take);
  }

  /** What happened, in order. */
  get events(): string[] {
    return this.all.map(({ event }) => event);
  }

  /** How often something happened. */
  count(event: Notice["event"]): number {
    return this.events.filter((each) => each === event).length;
  }

  close(): void {
    unsubscribe(CHANNEL, this.#take);
  }
}
