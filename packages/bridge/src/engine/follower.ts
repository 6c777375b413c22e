/**
 * One who is told the state (ORD-6): where it stands, and from there to where the session stands when it asks. Nothing is kept
 * for it but the rest of the step that it is in.
 */
import type { Revision } from "../core/commands.js";
import type { Refusal } from "../core/refusal.js";
import type { Changes, StateLog } from "../core/state-log.js";
import type { StateUpdate } from "../core/state-update.js";
import type { Listener } from "./listener.js";
import type { Notify, Subscription } from "./subscription.js";

/** How a follower begins. */
export interface FollowerOptions {
  /** True: it does not count as use of the session. */
  readonly passive: boolean;
  /** Called with it when there is something to take; first when it is open. */
  readonly notify: Notify<StateUpdate>;
}

export class Follower implements Listener, Subscription<StateUpdate> {
  readonly passive: boolean;
  readonly since: number;
  readonly #log: StateLog;
  readonly #notify: Notify<StateUpdate>;
  readonly #leave: () => void;
  #state: "waiting" | "open" | "told" = "waiting";
  /** Where it stands when it has taken what is to be taken. */
  #at: Revision | undefined;
  #missed: Changes | undefined;
  /** The parts of the step that it is in, and how many of them are taken. */
  #parts: readonly StateUpdate[] = [];
  #taken = 0;
  #end: Refusal | undefined;

  constructor({ passive, notify }: FollowerOptions, log: StateLog, since: number, leave: () => void) {
    this.passive = passive;
    this.since = since;
    this.#log = log;
    this.#notify = notify;
    this.#leave = leave;
  }

  /**
   * Lets it take. What the log shows must be durable.
   *
   * @param at where it stands already; undefined: it has nothing
   * @param missed what has changed since then and before the log began
   */
  open(at: Revision | undefined, missed: Changes | undefined): void {
    this.#at = at;
    this.#missed = missed;
    this.#state = "open";
    this.#notify(this);
  }

  hear(): void {
    if (this.#state !== "waiting") this.#notify(this);
  }

  end(why: Refusal): void {
    this.#end = why;
    if (this.#state !== "waiting") this.#notify(this);
  }

  get waiting(): number {
    if (this.#state === "waiting") return 0;
    return (this.#isAmid ? 1 : 0) + (this.#isBehind ? 1 : 0) + (this.#end === undefined ? 0 : 1);
  }

  take(): StateUpdate | Refusal | undefined {
    if (this.#state === "waiting") return undefined;
    if (!this.#isAmid && this.#isBehind) this.#step();
    const next = this.#parts[this.#taken];
    if (next !== undefined) {
      this.#taken++;
      // What others do not need any more either is let go.
      if (!next.more) this.#parts = [];
      return next;
    }
    if (this.#end !== undefined) this.close();
    return this.#end;
  }

  close(): void {
    this.#leave();
  }

  /** The first step is made also where it leads nowhere: it says so. */
  get #isBehind(): boolean {
    return this.#state === "open" || this.#at?.check !== this.#log.revision.check;
  }

  get #isAmid(): boolean {
    return this.#taken < this.#parts.length;
  }

  #step(): void {
    this.#parts = this.#log.stepsFrom(this.#at, this.#missed);
    this.#taken = 0;
    this.#at = this.#log.revision;
    this.#missed = undefined;
    this.#state = "told";
  }
}
