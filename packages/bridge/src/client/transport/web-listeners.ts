/** The streams that listen to sessions, and how an answer waits until they were told what it is true at (ORD-2). */
import type { Clock } from "../../core/clock.js";
import type { Revision } from "../../core/commands.js";
import type { StreamRpc } from "../../wire/services.js";
import { CATCH_UP_MS } from "./transport.js";
import type { Position } from "./web-position.js";

export interface Listener {
  readonly kind: StreamRpc["kind"];
  readonly position: Position;
  /** Ends it as if the connection had broken. */
  giveUp(details: string): void;
}

export class Listeners {
  readonly #clock: Clock;
  readonly #bySession = new Map<string, Set<Listener>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(sessionId: string, listener: Listener): void {
    const all = this.#bySession.get(sessionId) ?? new Set();
    this.#bySession.set(sessionId, all.add(listener));
  }

  remove(sessionId: string, listener: Listener): void {
    const all = this.#bySession.get(sessionId);
    if (all?.delete(listener) === true && all.size === 0) this.#bySession.delete(sessionId);
  }

  has(sessionId: string): boolean {
    return this.#bySession.has(sessionId);
  }

  /** Done when all who listen to a session were told what is true at a revision, or were not in time. */
  async reach(sessionId: string, revision: Revision): Promise<void> {
    const all = [...(this.#bySession.get(sessionId) ?? [])];
    await Promise.all(all.map((listener) => this.#reaches(listener, revision)));
  }

  /** A follower to which nothing has come meanwhile is given up: its copy is out of touch. */
  #reaches({ kind, position, giveUp }: Listener, revision: Revision): Promise<void> | undefined {
    if (position.hasReached(revision)) return undefined;
    const { timesHeard } = position;
    return new Promise((resolve) => {
      const end = (): void => {
        cancelTimer();
        stopListening();
        resolve();
      };
      const stopListening = position.onMove(() => {
        if (position.hasReached(revision)) end();
      });
      const cancelTimer = this.#clock.setTimer(CATCH_UP_MS, () => {
        end();
        if (kind === "follow" && position.timesMoved > 0 && position.timesHeard === timesHeard)
          giveUp("it has answered, and not told what it was asked to tell");
      });
    });
  }
}
