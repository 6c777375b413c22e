/**
 * Engines on SQLite files, as the model test wants them. They are stopped and started again, and they crash: then another
 * one goes on with a copy of the files as they are at that moment. The copy has a lock of its own, so it does not matter
 * that the store which wrote them is still there.
 */
import { copyFileSync, existsSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SessionState } from "../../packages/bridge/src/core/session/state.js";
import { Engine } from "../../packages/bridge/src/engine/engine.js";
import { fromRecord } from "../../packages/bridge/src/storage/record.js";
import { fromSnapshotBytes, toSnapshotBytes } from "../../packages/bridge/src/storage/snapshot.js";
import { openForReading } from "../../packages/bridge/src/storage/sqlite/reading.js";
import { verifyFile } from "../../packages/bridge/src/storage/sqlite/verify.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import { FaultyStore } from "../../packages/bridge/src/testing/faulty-store.contract.js";
import { over } from "./over.js";
import type { MakeEngine, Parts, Subject } from "./subject.js";

// The thread of the store is a compiled file, so this is the compiled store (`npm run build`).
const compiled = new URL("../../packages/bridge/dist/storage/sqlite/sqlite-store.js", import.meta.url).href;
const { SqliteStore } = (await import(
  compiled
)) as typeof import("../../packages/bridge/src/storage/sqlite/sqlite-store.js");

/** So small that a sequence of a few commands is folded several times. */
const SIZES = { roundBytes: 1_000, snapshotBytes: 500 };

/** What a run on files is by default. */
export const ON_FILES = { runs: 30, maxSteps: 40, floodEvery: 30, crashes: true };

/** `wrap` may put something around the store. */
export function sqliteEngine(wrap: (store: Store) => Store = (store) => store): MakeEngine {
  return async (parts) => {
    const folder = await mkdtemp(join(tmpdir(), "snakepit-model-"));
    return new Files(folder, parts, wrap).start(1);
  };
}

/** The files of one sequence: after each crash another one. */
class Files {
  readonly #folder: string;
  readonly #parts: Parts;
  readonly #wrap: (store: Store) => Store;

  constructor(folder: string, parts: Parts, wrap: (store: Store) => Store) {
    this.#folder = folder;
    this.#parts = parts;
    this.#wrap = wrap;
  }

  /** Starts an engine on the file of this number. */
  async start(number: number): Promise<Subject> {
    const path = join(this.#folder, `${number}.db`);
    const store = new FaultyStore(reread(await SqliteStore.open(path, "full", SIZES)));
    const engine = new Engine({ ...this.#parts, store: this.#wrap(store) });
    await engine.open();
    let ended: Promise<void> | undefined;
    const end = (): Promise<void> => (ended ??= engine.close());
    return {
      dispatch: (principal, command, deadline) => engine.dispatch(principal, command, deadline),
      store,
      close: async () => {
        await end();
        rmSync(this.#folder, { recursive: true });
      },
      restart: async () => {
        await end();
        return this.start(number);
      },
      crashing: {
        store,
        crash: async () => {
          store.die();
          await store.quiet();
          const copy = join(this.#folder, `${number + 1}.db`);
          await this.#copy(path, copy);
          await verifyFile(copy);
          const next = await this.start(number + 1);
          await store.close();
          return next;
        },
      },
    };
  }

  /** Copies what a crash leaves. A reader keeps the writer, who may be folding, from writing over what is copied. */
  async #copy(from: string, to: string): Promise<void> {
    const reader = await openForReading(from);
    try {
      reader.exec("BEGIN");
      const look = reader.prepare(
        "SELECT (SELECT min(seq) FROM tail) AS first, (SELECT max(snapshot_revision) FROM session) AS snapshot",
      );
      const { first, snapshot } = look.get() ?? {};
      if (Number(first) > 1) this.#parts.note("a crash found the tail folded");
      if (Number(snapshot) > 0) this.#parts.note("a crash found a snapshot");
      for (const suffix of ["", "-wal"]) {
        if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
      }
    } finally {
      reader.close();
    }
  }
}

/**
 * The same store, whose answers are written and read once more: what the compiled store makes of bytes is of its own
 * classes, as that of refusals, and the engine here knows those of the sources.
 */
function reread(store: Store): Store {
  return over(store, {
    async load(sessionId) {
      const stored = await store.load(sessionId);
      if (stored === undefined) return undefined;
      const snapshot = fromSnapshotBytes(toSnapshotBytes(stored.state.snapshot()));
      return { state: SessionState.restore(snapshot), check: stored.check };
    },
    async commitsAfter(sessionId, revision) {
      const records = await store.commitsAfter(sessionId, revision);
      return records === "compacted" ? records : records.map(({ bytes }) => fromRecord(bytes));
    },
  });
}
