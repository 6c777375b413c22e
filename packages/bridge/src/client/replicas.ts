/** The copies of sessions that a client has: one for each session, however many read from it. */
import { Following } from "./following.js";
import type { OwnCalls } from "./own-calls.js";
import type { Transport } from "./transport/transport.js";

interface Used {
  readonly following: Following;
  readonly stopListening: () => void;
  users: number;
}

export class Replicas {
  readonly #transport: Transport;
  readonly #ownCalls: OwnCalls;
  readonly #used = new Map<string, Used>();

  constructor(transport: Transport, ownCalls: OwnCalls) {
    this.#transport = transport;
    this.#ownCalls = ownCalls;
  }

  /** The copy of a session, for one more who reads from it. Returns how to let go of it as well. */
  use(sessionId: string): { readonly following: Following; readonly release: () => void } {
    const used = this.#used.get(sessionId) ?? this.#begin(sessionId);
    used.users++;
    let released = false;
    const release = (): void => {
      if (released) return;
      released = true;
      // What waits of the one who goes is ended by the next look.
      if (--used.users > 0) return used.following.wake();
      this.#used.delete(sessionId);
      used.stopListening();
      used.following.end();
    };
    return { following: used.following, release };
  }

  #begin(sessionId: string): Used {
    const following = new Following(this.#transport, sessionId);
    const { replica } = following;
    const stopListening = this.#ownCalls.listen(sessionId, {
      answered: (revision) => replica.answered(revision),
      doubted: () => replica.doubt(),
      // What changes is told, and nothing else is taken for it.
      outdated: () => {},
    });
    const used = { following, stopListening, users: 0 };
    this.#used.set(sessionId, used);
    return used;
  }
}
