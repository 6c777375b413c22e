/** What programs were told, each by itself, held to what was really committed (ORD-1, ORD-3, ORD-4, ORD-8). */
import type { SessionEventView } from "snakepit-bridge/client";

/** What a program was told once. Times are of the clock that all processes of a machine share, in nanoseconds. */
export interface Entry {
  readonly program: string;
  readonly began: number;
  readonly ended: number;
  readonly what: "wrote" | "read" | "asked" | "readPair";
  /** Of a pair its two values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The point that it is true at; a pair has none. */
  readonly point?: string;
}

interface Moment {
  readonly place: number;
  readonly state: ReadonlyMap<string, unknown>;
}

export class Truth {
  readonly #moments = new Map<string, Moment>();
  #state = new Map<string, unknown>();

  /** Takes the next commit, and the point that it leads to. */
  take({ kind, changes }: SessionEventView, point: string): void {
    const state = kind === "changed" ? new Map(this.#state) : new Map<string, unknown>();
    for (const { name, value, version } of changes) {
      if (version === undefined) state.delete(name);
      else state.set(name, value);
    }
    this.#state = state;
    this.#moments.set(point, { place: this.#moments.size + 1, state });
  }

  has(point: string): boolean {
    return this.#moments.has(point);
  }

  /** What breaks a rule, one line each. */
  faults(entries: readonly Entry[]): string[] {
    return entries.flatMap((entry) => {
      const told = JSON.stringify(entry);
      if (entry.what === "readPair") {
        const [x, y] = Object.values(entry.values);
        return x === y ? [] : [`torn: ${told}`];
      }
      const moment = this.#moments.get(entry.point ?? "");
      if (moment === undefined) return [`what was told never was: ${told}`];
      const faults: string[] = [];
      for (const [name, value] of Object.entries(entry.values))
        if (moment.state.get(name) !== value) faults.push(`it was ${moment.state.get(name)}: ${told}`);
      const before = this.#latestBefore(entry, entries);
      if (before > moment.place) faults.push(`later was known before: ${told}`);
      return faults;
    });
  }

  /** The latest place that had to be known when something began. */
  #latestBefore({ program, began, what }: Entry, entries: readonly Entry[]): number {
    let latest = 0;
    for (const entry of entries) {
      // Who asks the bridge is answered with all that was acknowledged to anybody.
      const counts = entry.program === program || (what === "asked" && entry.what === "wrote");
      if (!counts || entry.ended > began) continue;
      latest = Math.max(latest, this.#moments.get(entry.point ?? "")?.place ?? 0);
    }
    return latest;
  }
}
