/** Commits of sessions made by hand, and records of them: what stores are tested with. */

import type { HistoryEntry } from "../core/history.js";
import type { Literal, Stored } from "../core/literal.js";
import type { ItemRefusal } from "../core/refusal.js";
import { Refusal } from "../core/refusal.js";
import type { Change, Commit, CommitKind } from "../core/session/commit.js";
import { SessionState } from "../core/session/state.js";
import { type TypeName, valueType } from "../core/values/registry.js";
import type { Variable } from "../core/variable.js";
import { type CommitRecord, RecordMaker } from "../storage/record.js";

let lives = 0;

/** The life of one session as a chain of records. */
export class History {
  readonly sessionId: string;
  readonly incarnation: string;
  readonly records: CommitRecord[] = [];
  /** The fold of all commits so far. */
  readonly state: SessionState;
  readonly #maker = new RecordMaker();
  #check = 0n;

  /** Begins with the commit that creates the session. */
  constructor(sessionId: string, { ttlMs = 0 }: { ttlMs?: number } = {}) {
    this.sessionId = sessionId;
    this.incarnation = (++lives).toString(16).padStart(32, "0");
    const commit = this.#commit("createSession", 1, {
      created: { ttlMs, metadata: new Map([["made by", "hand"]]) },
    });
    this.state = SessionState.create(commit);
    this.#keep(commit);
  }

  get last(): CommitRecord {
    return this.records.at(-1) as CommitRecord;
  }

  get check(): bigint {
    return this.#check;
  }

  /** Defines or sets a variable. */
  set(name: string, type: TypeName, value: Stored): CommitRecord {
    const standing = this.state.variables.get(name);
    const revision = this.state.revision + 1;
    const change: Change =
      standing === undefined
        ? {
            kind: "define",
            variable: variable(name, type, value, revision, this.state.lastVersion(name) + 1),
          }
        : { kind: "set", name, id: standing.id, type, version: standing.version + 1, value };
    const requestId = { clientId: "c".repeat(32), sequence: revision };
    return this.#next(this.#commit("setVariable", revision, { changes: [change], requestId }));
  }

  /** Defines a variable anew, as a registration of a provisional one does: nothing is set. */
  redefine(name: string, type: TypeName, value: Stored): CommitRecord {
    const { version, ...standing } = this.state.variables.get(name) as Variable;
    const revision = this.state.revision + 1;
    const defined = { ...standing, ...variable(name, type, value, revision, version), id: standing.id };
    const changes: Change[] = [{ kind: "define", variable: defined }];
    return this.#next(this.#commit("registerVariable", revision, { changes }));
  }

  /** Sets several variables in one commit. */
  setMany(values: Readonly<Record<string, Stored>>): CommitRecord {
    const changes = Object.entries(values).map(([name, value]): Change => {
      const { id, type, version } = this.state.variables.get(name) as Variable;
      return { kind: "set", name, id, type, version: version + 1, value };
    });
    return this.#next(this.#commit("setVariables", this.state.revision + 1, { changes }));
  }

  drop(name: string): CommitRecord {
    const { version } = this.state.variables.get(name) as Variable;
    const changes: Change[] = [{ kind: "drop", name, version }];
    return this.#next(this.#commit("deleteVariable", this.state.revision + 1, { changes }));
  }

  /** A best-effort batch of which one item was refused. */
  partly(name: string, value: number): CommitRecord {
    const standing = this.state.variables.get(name) as Variable;
    const changes: Change[] = [
      { kind: "set", name, id: standing.id, type: "float", version: standing.version + 1, value },
    ];
    const refused: ItemRefusal[] = [
      {
        index: 0,
        identifier: "absent",
        refusal: new Refusal("VARIABLE_NOT_FOUND", "Variable not found: absent", { identifier: "absent" }),
      },
    ];
    return this.#next(this.#commit("setVariables", this.state.revision + 1, { changes, refused }));
  }

  /** What a store has to keep of a variable's history, newest first (VAL-20): counted out from all commits. */
  kept(name: string): HistoryEntry[] {
    const all: HistoryEntry[] = [];
    for (const { commit } of this.records) {
      const { revision, wallTimeMs, source, metadata } = commit;
      for (const change of commit.changes) {
        if (change.kind === "drop") {
          if (change.name === name) all.length = 0;
          continue;
        }
        const { name: changed, version, type, value } = change.kind === "set" ? change : change.variable;
        if (changed !== name) continue;
        const [standing] = all;
        if (standing?.version === version) all[0] = { ...standing, type, value };
        else all.unshift({ version, type, value, revision, wallTimeMs, source, metadata });
      }
    }
    const sizes = all.map(({ value }) => (typeof value === "string" ? Buffer.byteLength(value) : 8));
    const fits = (count: number): boolean =>
      count === 1 || (count <= 50 && sizes.slice(0, count).reduce((sum, size) => sum + size, 0) <= 1_048_576);
    return all.filter((_, i) => fits(i + 1));
  }

  end(kind: "deleteSession" | "expireSession"): CommitRecord {
    return this.#next(this.#commit(kind, this.state.revision + 1, {}));
  }

  #next(commit: Commit): CommitRecord {
    this.state.apply(commit);
    return this.#keep(commit);
  }

  #keep(commit: Commit): CommitRecord {
    const record = this.#maker.make(commit, this.#check);
    this.#check = record.check;
    this.records.push(record);
    return record;
  }

  #commit(kind: CommitKind, revision: number, more: Partial<Commit>): Commit {
    const { sessionId, incarnation } = this;
    const metadata = new Map([["revision", String(revision)]]);
    const wallTimeMs = 1_900_000_000_000 + revision;
    return {
      sessionId,
      incarnation,
      revision,
      kind,
      wallTimeMs,
      source: "test",
      writer: "anyone",
      metadata,
      changes: [],
      refused: [],
      ...more,
    };
  }
}

function variable(name: string, type: TypeName, value: Stored, revision: number, version: number): Variable {
  // There is no choice without its list.
  const choices: Literal[] = [String(value), "other"].map((text) => ({ kind: "string", value: text }));
  const limits = valueType(type).limits(type === "choice" ? [{ key: "choices", values: choices }] : []);
  if (limits instanceof Refusal) throw new Error(limits.message);
  return {
    id: `var_${name}_${revision}`,
    name,
    type,
    value,
    version,
    limits,
    registered: new Map([["unit", "°C"]]),
    latest: new Map(),
    source: "test",
    createdAtMs: 1,
    updatedAtMs: 2.5,
    provisional: revision % 2 === 0,
  };
}

/** All that can be seen of a state, in a form that can be compared. */
export function plainState(state: SessionState, names: readonly string[] = []): unknown {
  return {
    id: state.id,
    incarnation: state.incarnation,
    revision: state.revision,
    ttlMs: state.ttlMs,
    createdAtMs: state.createdAtMs,
    metadata: [...state.metadata],
    names: state.nameCount,
    versions: names.map((name) => state.lastVersion(name)),
    requests: Array.from({ length: 40 }, (_, i) =>
      state.findRequest("anyone", { clientId: "c".repeat(32), sequence: i + 1 }),
    ),
    variables: [...state.variables.values()].map(plainVariable).sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** A variable without the function that its limits hold. */
export function plainVariable({
  limits,
  ...rest
}: Variable): Omit<Variable, "limits"> & { constraints: unknown } {
  return { ...rest, constraints: limits.constraints };
}

/** A commit without functions. */
export function plainCommit(commit: Commit): unknown {
  const changes = commit.changes.map((change) =>
    change.kind === "define" ? { ...change, variable: plainVariable(change.variable) } : change,
  );
  return { ...commit, changes };
}
