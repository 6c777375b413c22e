/**
 * A store that has accidents, around any other store. Tests lay it between an engine and the store that it would have;
 * until something is arranged it is that store.
 *
 * Whoever waits for it is in one list. A store that fails tells all of them; when the process dies nobody is told
 * anything any more, and nothing reaches the store around which it is laid.
 */
import { setImmediate } from "node:timers/promises";
import type { CommitRecord } from "../storage/record.js";
import type { SessionHead, Store, StoredSession } from "../storage/store.js";

/** What can happen to an append. */
export const APPEND_FAULTS = [
  /** It throws. Nothing is kept. */
  "is refused",
  /** It fails later. Nothing is kept. */
  "is lost",
  /** It fails later, and is kept all the same. */
  "is kept and fails",
  /** The store fails in it, for good. Nothing is kept. */
  "ends the store",
  /** The process dies before it: it is not kept, nor anything after it, and nobody who waits is told. */
  "ends the process",
] as const;

export type AppendFault = (typeof APPEND_FAULTS)[number];

export class FaultyStore implements Store {
  readonly name: string;
  readonly persistent: boolean;
  readonly failure: Promise<Error>;
  /** True: appends wait until they are released, and what is asked after them waits with them. */
  holding = false;
  /** Everything that was handed over, kept or not. */
  readonly records: CommitRecord[] = [];
  /** How many appends have reached the store inside. */
  kept = 0;
  /** How many sessions were asked for. */
  loads = 0;
  readonly #inside: Store;
  #state: "well" | "failed" | "dead" = "well";
  #settleFailure: (error: Error) => void = () => {};
  #error: Error | undefined;
  #fault: { readonly what: AppendFault; after: number } | undefined;
  #nextLoadFails: Error | undefined;
  #held: (() => void)[] = [];
  /** How to tell those who wait that the store has failed. */
  readonly #waiting = new Set<(error: Error) => void>();
  /** What the store inside is at work on. */
  readonly #busy = new Set<Promise<unknown>>();

  constructor(inside: Store) {
    this.#inside = inside;
    this.name = inside.name;
    this.persistent = inside.persistent;
    this.failure = new Promise((resolve) => {
      this.#settleFailure = resolve;
    });
    void inside.failure.then((error) => this.fail(error));
  }

  /** Lets something happen to the append that comes after so many others. */
  arrange(what: AppendFault, after = 0): void {
    this.#fault = { what, after };
  }

  /** Lets the next load fail, and no other. */
  failNextLoad(why = new Error("the disk is slow")): void {
    this.#nextLoadFails = why;
  }

  /** Passes on what waits. What comes later waits again, as long as the store is holding. */
  release(): void {
    for (const passOn of this.#held.splice(0)) passOn();
  }

  /** Fails for good. */
  fail(error = new Error("the disk is gone")): void {
    if (this.#state !== "well") return;
    this.#state = "failed";
    this.#error = error;
    this.#held = [];
    this.#settleFailure(error);
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
  }

  /** The process dies. (The engine lives on, but nothing that it does has an effect.) */
  die(): void {
    this.#state = "dead";
    this.#held = [];
    this.#waiting.clear();
  }

  get dead(): boolean {
    return this.#state === "dead";
  }

  /** When everything has been done that reached the store inside, and everything that comes of it. */
  async quiet(): Promise<void> {
    do {
      await Promise.allSettled(this.#busy);
      await setImmediate();
    } while (this.#busy.size > 0);
  }

  heads(): Promise<readonly SessionHead[]> {
    return this.#ask(() => this.#inside.heads());
  }

  append(records: readonly CommitRecord[]): Promise<void> {
    this.records.push(...records);
    const fault = this.#takeFault();
    if (fault === "is refused") throw new Error("the disk is full");
    if (fault === "ends the store") this.fail();
    if (fault === "ends the process") this.die();
    if (fault === "is lost") return this.#ask(brokenDisk);
    const keep = async (): Promise<void> => {
      this.kept++;
      await this.#inside.append(records);
    };
    const kept = this.#ask(keep, this.holding);
    return fault === "is kept and fails" ? kept.then(brokenDisk) : kept;
  }

  load(sessionId: string): Promise<StoredSession | undefined> {
    this.loads++;
    const failure = this.#nextLoadFails;
    this.#nextLoadFails = undefined;
    return this.#ask(() => (failure ? Promise.reject(failure) : this.#inside.load(sessionId)));
  }

  commitsAfter(sessionId: string, revision: number): Promise<readonly CommitRecord[] | "compacted"> {
    return this.#ask(() => this.#inside.commitsAfter(sessionId, revision));
  }

  history(...asked: Parameters<Store["history"]>): ReturnType<Store["history"]> {
    return this.#ask(() => this.#inside.history(...asked));
  }

  keepRests(...kept: Parameters<Store["keepRests"]>): void {
    void this.#ask(async () => this.#inside.keepRests(...kept)).catch(() => {});
  }

  async close(): Promise<void> {
    if (this.#state === "well") this.release();
    await this.#inside.close();
  }

  #takeFault(): AppendFault | undefined {
    if (this.#fault === undefined || this.#fault.after-- > 0) return undefined;
    const { what } = this.#fault;
    this.#fault = undefined;
    return what;
  }

  /** Has something done by the store inside, behind the appends that wait. */
  #ask<T>(act: () => Promise<T>, waits = this.#held.length > 0): Promise<T> {
    if (this.#state === "failed") return Promise.reject(this.#error);
    if (this.#state === "dead") return new Promise(() => {});
    return this.#told(
      waits
        ? new Promise((resolve) => this.#held.push(() => resolve(this.#watched(act()))))
        : this.#watched(act()),
    );
  }

  #watched<T>(work: Promise<T>): Promise<T> {
    this.#busy.add(work);
    const done = (): unknown => this.#busy.delete(work);
    work.then(done, done);
    return work;
  }

  /** The same outcome, as long as there is somebody to tell it and somebody to be told. */
  #told<T>(outcome: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#waiting.add(reject);
      outcome.then(
        (value) => {
          if (this.#waiting.delete(reject)) resolve(value);
        },
        (error: Error) => {
          if (this.#waiting.delete(reject)) reject(error);
        },
      );
    });
  }
}

async function brokenDisk(): Promise<never> {
  throw new Error("the disk is gone");
}
