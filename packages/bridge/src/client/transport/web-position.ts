/**
 * Where a watch or a follower of a client stands, so that a call ends when it has come to what the call was answered at (ORD-2):
 * answers, and what is told, come on separate streams.
 */
import type { Revision } from "../../core/commands.js";

/** Where one stands. */
export class Position {
  #at: Revision | undefined;
  /** The last life of the session before the present one: it is over. Being absent is none. */
  #formerLife: string | undefined;
  /** How often something has come. */
  #heard = 0;
  #moved = 0;
  #isOver = false;
  readonly #waiting = new Set<() => void>();

  /** Something has come. */
  heard(): void {
    this.#heard++;
  }

  get timesHeard(): number {
    return this.#heard;
  }

  /** How often it was told where the session stands. */
  get timesMoved(): number {
    return this.#moved;
  }

  /** It was told all up to a revision. */
  moved(revision: Revision): void {
    const life = this.#at?.incarnation ?? "";
    if (life !== "" && life !== revision.incarnation) this.#formerLife = life;
    this.#at = revision;
    this.#moved++;
    this.#tell();
  }

  /** It will not move any more, and nobody has to wait for it. */
  ended(): void {
    this.#isOver = true;
    this.#tell();
  }

  /** True if what is true at a revision is not newer than what it was told. */
  hasReached({ incarnation, number }: Revision): boolean {
    if (this.#isOver) return true;
    if (this.#at?.incarnation === incarnation) return this.#at.number >= number;
    return this.#formerLife === incarnation;
  }

  /** Calls back at the next move. Returns how to stop that. */
  onMove(call: () => void): () => void {
    this.#waiting.add(call);
    return () => this.#waiting.delete(call);
  }

  #tell(): void {
    for (const call of [...this.#waiting]) call();
  }
}
