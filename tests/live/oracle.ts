/** What was really committed: the state of the session at every revision it ever had, and their order. */
import type { Revision } from "../../packages/bridge/src/core/commands.js";
import type { Change } from "../../packages/bridge/src/core/session/commit.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";

/** A variable as it was. */
export interface Was {
  readonly id: string;
  readonly version: number;
  readonly value: unknown;
}

export interface Moment {
  /** Later moments have a greater one. */
  readonly place: number;
  readonly state: ReadonlyMap<string, Was>;
}

const NOTHING: ReadonlyMap<string, Was> = new Map();

export class Oracle {
  readonly #moments = new Map<string, Moment>();
  #state: ReadonlyMap<string, Was> = NOTHING;
  #taken = 0;
  #place = 0;

  /** Takes in what has been committed since the last time. */
  take(records: readonly CommitRecord[]): void {
    for (const { commit, check } of records.slice(this.#taken)) {
      const isEnd = commit.kind === "deleteSession" || commit.kind === "expireSession";
      const before = commit.created === undefined ? this.#state : NOTHING;
      const state = isEnd ? NOTHING : new Map(before);
      if (!isEnd) for (const change of commit.changes) carryOut(change, state as Map<string, Was>);
      this.#state = state;
      const revision = { incarnation: commit.incarnation, number: commit.revision, check };
      this.#moments.set(keyOf(revision), { place: ++this.#place, state });
    }
    this.#taken = records.length;
  }

  /** Begins with another store, which has nothing. */
  restart(): void {
    this.#taken = 0;
    this.#state = NOTHING;
    this.#place++;
  }

  /** What was true at a revision; undefined if there never was such a one. */
  at(revision: Revision): Moment | undefined {
    return this.#moments.get(keyOf(revision));
  }

  /** What is true now. */
  get now(): ReadonlyMap<string, Was> {
    return this.#state;
  }
}

function carryOut(change: Change, state: Map<string, Was>): void {
  if (change.kind === "drop") state.delete(change.name);
  else if (change.kind === "define") {
    const { name, id, version, value } = change.variable;
    state.set(name, { id, version, value });
  } else {
    const { name, id, version, value } = change;
    state.set(name, { id, version, value });
  }
}

/** The check tells lives of a session apart as well as what was lost of one. */
function keyOf({ incarnation, number, check }: Revision): string {
  return `${incarnation}-${number}-${check}`;
}
