/**
 * What the programs of the test of the promise tell: a line of JSON for each thing that they were answered or told, in the order in
 * which it came to them. `program.ts` and `program.py` tell the same.
 */
import type { PrintedEvent } from "../../../packages/bridge/src/testing/watch-forms.contract.js";

/** What a write does: sets a variable of its own, two that are always equal, or adds to a sum that all add to. */
export type WriteKind = "set" | "pair" | "increment" | "update";

/**
 * How a write ended. `unavailable`: the client says that nothing was done (UnavailableError, DeadlineError); `unknown`: it says that
 * it does not know (OutcomeUnknownError).
 */
export type Outcome = "ok" | "refused" | "unavailable" | "unknown";

/** A write, by the id that is in the metadata of its commit. */
export interface WriteTold {
  readonly tells: "write";
  /** Who wrote; it does one thing after the other. */
  readonly loop: string;
  readonly op: string;
  readonly what: WriteKind;
  readonly outcome: Outcome;
  /** What an accepted write was answered; not every call answers a point. */
  readonly point?: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** The class of the error that any other had. */
  readonly error?: string;
}

/** What was read at once. */
export interface ReadTold {
  readonly tells: "read";
  readonly loop: string;
  readonly values: Readonly<Record<string, unknown>>;
  /** What it is true at; of some reads it is not told. */
  readonly point?: string;
  readonly source?: "replica" | "server";
}

export interface WatchBegun {
  readonly tells: "begins";
  readonly watch: string;
  /** None: all. */
  readonly names: readonly string[];
  readonly after?: string;
}

export interface WatchStands {
  readonly tells: "stands";
  readonly watch: string;
  readonly point: string;
}

export interface EventTold {
  readonly tells: "event";
  readonly watch: string;
  readonly point: string;
  readonly event: PrintedEvent;
}

/** Reading threw WatchGapError. */
export interface GapTold {
  readonly tells: "gap";
  readonly watch: string;
  readonly reason: string;
}

/** All variables, as they were read after a gap. */
export interface SnapshotTold {
  readonly tells: "snapshot";
  readonly watch: string;
  readonly revision: number;
  readonly values: Readonly<Record<string, unknown>>;
}

export type Told = WriteTold | ReadTold | WatchBegun | WatchStands | EventTold | GapTold | SnapshotTold;

export function writesOf(tale: readonly Told[]): WriteTold[] {
  return tale.filter((told): told is WriteTold => told.tells === "write");
}

/** What was read, and the writes in between. */
export function readsOf(tale: readonly Told[]): (ReadTold | WriteTold)[] {
  return tale.filter((told): told is ReadTold | WriteTold => told.tells === "read" || told.tells === "write");
}

export function snapshotsOf(tale: readonly Told[]): SnapshotTold[] {
  return tale.filter((told): told is SnapshotTold => told.tells === "snapshot");
}

/** An order was carried out. */
export interface Over {
  readonly tells: "over";
  readonly order: number;
}

/** What a program is told to do, in a line of JSON. */
export type Order = { readonly order: number } & (
  | { readonly do: "watch"; readonly watch: string; readonly names: readonly string[] }
  /** Ends a watch, and begins it again after the point that it has come to. */
  | { readonly do: "resume"; readonly watch: string }
  | { readonly do: "play"; readonly loop: string; readonly operations: number; readonly seed: number }
  /** Reads until the copy answers that has come to a point. */
  | { readonly do: "look"; readonly after: string }
);
