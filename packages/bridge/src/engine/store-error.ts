/**
 * What `dispatch` throws where the store has failed. No refusal would do: a refusal is an answer, and says that nothing
 * was done, which nobody can tell of a write that the store was handed.
 */
export class StoreError extends Error {
  /** False if the command's turn never came: then nothing was done. */
  readonly begun: boolean;

  constructor(cause: unknown, { begun }: { readonly begun: boolean }) {
    super(`the store failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.begun = begun;
  }
}
