/** A watch, of whatever kind, as its reader has it. */
import type { Refusal } from "../core/refusal.js";
import type { Told } from "../core/watch.js";

export interface Subscription<T = Told> {
  /** What comes next, or why nothing comes any more; undefined while there is nothing new. */
  take(): T | Refusal | undefined;
  /** How much there is to take now. What is told in parts is one. */
  readonly waiting: number;
  /** Ends the watch. */
  close(): void;
}

/** How its reader is told that there is something to take. It must not throw. */
export type Notify<T = Told> = (subscription: Subscription<T>) => void;
