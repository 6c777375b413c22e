/** What the two halves of the SQLite store say to each other: the one in the engine's thread, and the one with the file. */
import type { KeptHistory } from "../history.js";
import type { SessionHead } from "../store.js";
import type { Known } from "../variable-history.js";
import type { KeptRecord } from "./batch.js";
import type { Durability } from "./format.js";

/** What the writing thread is started with. */
export interface WriterData {
  readonly path: string;
  readonly durability: Durability;
}

/** What can be asked of the writing thread. */
export type Task =
  | { readonly kind: "append"; readonly packed: Uint8Array<ArrayBuffer> }
  | { readonly kind: "load"; readonly sessionId: string }
  | { readonly kind: "commitsAfter"; readonly sessionId: string; readonly revision: number }
  | { readonly kind: "history"; readonly sessionId: string; readonly variable: Known }
  | { readonly kind: "keepRests"; readonly rests: readonly Omit<SessionHead, "ttlMs">[] }
  | { readonly kind: "close" };

/** A task as it travels. Each is answered by a reply with the same number, in order. */
export type Request = Task & { readonly id: number };

/** Said by the writing thread. */
export type Reply =
  /** First of all: the file is open. */
  | { readonly kind: "open"; readonly heads: readonly SessionHead[] }
  | { readonly kind: "loaded"; readonly id: number; readonly history: KeptHistory | undefined }
  | {
      readonly kind: "commits";
      readonly id: number;
      readonly records: readonly KeptRecord[] | "compacted";
    }
  | { readonly kind: "history"; readonly id: number; readonly bytes: Uint8Array }
  /** It is done, and on disk if it was an append. */
  | { readonly kind: "done"; readonly id: number }
  /** Nothing is answered any more. */
  | { readonly kind: "failed"; readonly message: string };
