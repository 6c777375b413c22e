/** What the model test asks, whatever its store is. */
import type { Clock } from "../../packages/bridge/src/core/clock.js";
import type { Command, Reply } from "../../packages/bridge/src/core/commands.js";
import type { BridgeLimits } from "../../packages/bridge/src/core/limits.js";
import type { Refusal } from "../../packages/bridge/src/core/refusal.js";
import type { Principal } from "../../packages/bridge/src/engine/principal.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import type { FaultyStore } from "../../packages/bridge/src/testing/faulty-store.contract.js";

/** What is tested: an engine and the store behind it. */
export interface Subject {
  dispatch(principal: Principal, command: Command, deadline?: number): Promise<Reply | Refusal>;
  /** The store, for looking at what was kept. */
  readonly store: Store;
  close(): Promise<void>;
  /** Closes it and starts another on what the store kept; absent if the store keeps nothing. */
  restart?(): Promise<Subject>;
  /** Absent if it cannot crash. */
  readonly crashing?: Crashing;
}

/** How a subject crashes. */
export interface Crashing {
  /** Through it everything goes that the engine has kept; here the process can be made to die. */
  readonly store: FaultyStore;
  /** Starts another on what is left of it, and never asks it anything again. */
  crash(): Promise<Subject>;
}

/** What an engine is made of, save its store. */
export interface Parts {
  readonly clock: Clock;
  readonly limits: BridgeLimits;
  readonly defaultTtlMs: number;
  readonly newIncarnation: () => string;
  readonly version: string;
  /** Tells what happened, for the coverage of the test. */
  readonly note: (what: string) => void;
}

export type MakeEngine = (parts: Parts) => Subject | Promise<Subject>;
