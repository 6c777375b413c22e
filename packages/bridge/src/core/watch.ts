/** What a watcher asks for: a session, which of its variables, and from where on. */
import type { Revision } from "./commands.js";
import { compileGlob } from "./glob.js";
import type { BridgeLimits } from "./limits.js";
import { checkName } from "./names.js";
import { invalidField, Refusal } from "./refusal.js";
import type { SessionEvent } from "./session/event.js";
import { refuseMany } from "./session/reading.js";

export interface Watch {
  readonly sessionId: string;
  /** Only changes of variables with one of these names or whose name matches the glob. Neither: all. */
  readonly names: readonly string[];
  readonly glob?: string;
  /** The point that the watcher knows: what came after it is told first. Absent: only what comes from now on. */
  readonly after?: Revision;
  /** True: it does not count as use of the session (ORD-12). */
  readonly passive: boolean;
}

/** What a watcher is told, in order. Each takes it on to a revision. */
export type Told =
  /** The session stands here, and nothing that was asked for lies between this and what was told before. */
  | { readonly kind: "bookmark"; readonly revision: Revision }
  | { readonly kind: "event"; readonly event: SessionEvent };

/** Which changes a watcher is told. */
export interface WatchFilter {
  /** The same for filters that let the same through. */
  readonly key: string;
  /** True if it lets a change of this variable through. */
  wants(name: string): boolean;
}

const EVERYTHING: WatchFilter = Object.freeze({ key: "", wants: () => true });

/** The filter of a watch, or why it has none. */
export function filterOf({ names, glob }: Watch, { maxItems }: BridgeLimits): WatchFilter | Refusal {
  const fault = refuseMany(names.length, maxItems);
  if (fault !== undefined) return fault;
  for (const name of names) {
    const bad = checkName(name);
    if (bad !== undefined) return bad.at({ identifier: name });
  }
  const matches = glob === undefined ? undefined : compileGlob(glob);
  if (matches instanceof Refusal) return matches;
  if (names.length === 0 && matches === undefined) return EVERYTHING;
  const wanted = new Set(names);
  return {
    key: JSON.stringify([[...wanted].sort(), glob ?? null]),
    wants: (name) => wanted.has(name) || (matches?.(name) ?? false),
  };
}

/** What a filter leaves of an event; a bookmark where that is nothing. That a session begins or ends is told to all. */
export function narrowed(event: SessionEvent, filter: WatchFilter): Told {
  if (filter === EVERYTHING) return { kind: "event", event };
  const changes = event.changes.filter(({ name }) => filter.wants(name));
  if (changes.length === 0 && event.kind === "changed") return { kind: "bookmark", revision: event.revision };
  // The same object where nothing is left out, so that it is encoded once for all.
  return { kind: "event", event: changes.length === event.changes.length ? event : { ...event, changes } };
}

/** Refuses a point to resume from that can be none. */
export function checkPoint(after: Revision | undefined): Refusal | undefined {
  if (after === undefined) return undefined;
  const { number, incarnation, check } = after;
  if (number === 0 ? incarnation === "" && check === 0n : incarnation.length === 32) return undefined;
  return invalidField(
    "after",
    "is no revision: revision 0 has nothing else, and every other one has 16 bytes",
  );
}
