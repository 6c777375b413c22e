/** Reads the stories of `spec/scenarios/`. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { type Json, type JsonObject, readSpec, root } from "../vectors/files.js";

/** Somebody with a client. */
export interface Role {
  /** Which of the story's sessions it works in; `main` unless told otherwise. */
  readonly session?: string;
  /** Whether its writes create nothing that is missing. */
  readonly strict?: boolean;
  /** Whether its reads are answered from a copy that is kept current. */
  readonly live?: boolean;
}

/** A bridge that a story has for itself: one with low limits, or one on a file that may die. */
export interface BridgeNeeds {
  readonly limits?: Readonly<Record<string, number>>;
  readonly store?: "sqlite";
  /** Where it dies in its first life, as in SNAKEPIT_BRIDGE_FAILPOINT. */
  readonly failpoint?: string;
}

/** How a call has to end. */
export type Outcome = { readonly gives: Json } | { readonly fails: JsonObject };

export type BridgeMove = "kill" | "end" | "start" | "gone" | "freeze" | "thaw";

export type Step =
  | ({ readonly actor: string; readonly do: string; readonly with?: JsonObject } & (
      | Outcome
      /** It is under way while the story goes on, until the step that awaits this name. */
      | { readonly later: string }
    ))
  | ({ readonly await: string } & Outcome)
  | { readonly advanceMs: number }
  | { readonly bridge: BridgeMove };

export interface Story {
  readonly id: string;
  readonly rules: readonly string[];
  readonly about: string;
  readonly actors: Readonly<Record<string, Role>>;
  readonly bridge?: BridgeNeeds;
  readonly steps: readonly Step[];
}

/** The names of the files, in their order. */
export function storyPaths(): string[] {
  return readdirSync(join(root, "spec", "scenarios"))
    .filter((name) => name.endsWith(".json"))
    .sort();
}

/** All stories. */
export function readStories(): readonly Story[] {
  return storyPaths().flatMap((path) => {
    const { scenarios } = readSpec(`scenarios/${path}`).json as unknown as { scenarios: readonly Story[] };
    return scenarios;
  });
}
