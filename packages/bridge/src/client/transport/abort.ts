/**
 * Listens to the signals of callers. Many calls may be given the same one, and Node takes more than ten listeners of a
 * signal for a leak and says so on the caller's screen; so a transport listens once and passes it on.
 */

/** Calls `fire` with the reason, and never before it has returned, when the signal is aborted. Returns how to stop. */
export type OnAbort = (fire: (reason: unknown) => void) => () => void;

interface Watched {
  readonly listeners: Set<(reason: unknown) => void>;
  readonly tell: () => void;
}

export class AbortWatch {
  readonly #watched = new WeakMap<AbortSignal, Watched>();

  /** How to listen to a signal; without one nothing ever fires. */
  of(signal: AbortSignal | undefined): OnAbort {
    return signal === undefined ? never : (fire) => this.#listen(signal, fire);
  }

  #listen(signal: AbortSignal, fire: (reason: unknown) => void): () => void {
    const { listeners, tell } = this.#watch(signal);
    listeners.add(fire);
    if (signal.aborted) queueMicrotask(tell);
    return () => {
      listeners.delete(fire);
      if (listeners.size > 0 || this.#watched.get(signal)?.tell !== tell) return;
      signal.removeEventListener("abort", tell);
      this.#watched.delete(signal);
    };
  }

  #watch(signal: AbortSignal): Watched {
    const existing = this.#watched.get(signal);
    if (existing !== undefined) return existing;
    const listeners = new Set<(reason: unknown) => void>();
    const tell = (): void => {
      const told = [...listeners];
      listeners.clear();
      for (const fire of told) fire(signal.reason);
    };
    const watched = { listeners, tell };
    signal.addEventListener("abort", tell, { once: true });
    this.#watched.set(signal, watched);
    return watched;
  }
}

function never(): () => void {
  return () => {};
}
