/** What the two halves of the SQLite store say to each other: the one in the engine's thread, and the one with the file. */
import type { KeptHistory } from "../history.js";
import type { SessionHead, SessionRest } from "../store.js";
import type { Known } from "../variable-history.js";
import type { FoldingSizes } from "./folding.js";
import type { Durability } from "./format.js";

/** What the writing thread is started with. */
export interface WriterData {
  readonly path: string;
  readonly durability: Durability;
  /** Undefined: as usual. */
  readonly sizes: FoldingSizes | undefined;
}

/** What can be asked of the writing thread. */
export type Task =
  | { readonly kind: "heads" }
  | { readonly kind: "append"; readonly packed: Packed }
  | { readonly kind: "load"; readonly sessionId: string }
  | { readonly kind: "commitsAfter"; readonly sessionId: string; readonly revision: number }
  | { readonly kind: "history"; readonly sessionId: string; readonly variable: Known }
  | {
      readonly kind: "keepRests";
      readonly rests: readonly SessionRest[];
      readonly elapsedMs: number;
    }
  | { readonly kind: "close" }
  /** After a failure: nothing more is done, and nothing is answered. */
  | { readonly kind: "stop" };

/** A task as it travels. Each is answered by a reply with the same number, in order. */
export type Request = Task & { readonly id: number };

/**
 * Records travel packed (`batch.ts`): each by itself would take along all that it shares its memory with, and that is a
 * whole flush or segment.
 */
export type Packed = Uint8Array<ArrayBuffer>;

/** What is kept of a session, as it travels. */
export type PackedHistory = Omit<KeptHistory, "records"> & { readonly records: Packed };

/** Said by the writing thread. */
export type Reply =
  /** First of all: the file is open. */
  | { readonly kind: "open" }
  | { readonly kind: "heads"; readonly id: number; readonly heads: readonly SessionHead[] }
  | { readonly kind: "loaded"; readonly id: number; readonly history: PackedHistory | undefined }
  | { readonly kind: "commits"; readonly id: number; readonly records: Packed | "compacted" }
  | { readonly kind: "history"; readonly id: number; readonly bytes: Uint8Array }
  /** It is done, and on disk if it was an append. */
  | { readonly kind: "done"; readonly id: number }
  /** Nothing is answered any more. */
  | { readonly kind: "failed"; readonly message: string };
