/** The simplest replica there can be: it applies what a follower is told, and refuses what does not fit. */
import type { Revision } from "../core/commands.js";
import type { StateEntry, StateUpdate } from "../core/state-update.js";

export class ModelReplica {
  /** Undefined: it has been told nothing. */
  revision: Revision | undefined;
  entries = new Map<string, StateEntry>();
  #parts: StateUpdate[] = [];

  /** Takes in an update. True if it stands somewhere then: the last part has come. */
  apply(update: StateUpdate): boolean {
    const [first] = this.#parts;
    if (first !== undefined) expectSame([first.base, first.revision], [update.base, update.revision]);
    this.#parts.push(update);
    if (update.more) return false;
    const { base, revision } = update;
    if (base === undefined) this.entries = new Map();
    else expectSame(base, this.revision);
    for (const { changed, deleted } of this.#parts) {
      for (const entry of changed) this.entries.set(entry.name, entry);
      for (const name of deleted) this.entries.delete(name);
    }
    this.#parts = [];
    this.revision = revision;
    return true;
  }

  /** The values by name. */
  get values(): Record<string, unknown> {
    return Object.fromEntries([...this.entries].map(([name, { value }]) => [name, value]));
  }
}

function expectSame(a: unknown, b: unknown): void {
  const [one, other] = [a, b].map((each) =>
    JSON.stringify(each, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
  );
  if (one !== other) throw new Error(`an update of ${one} does not fit where the replica stands, ${other}`);
}
