/**
 * Which writes of a session were carried out, by request id, so that a retry is answered and not applied again
 * (ORD-15). The last 1,000 writes are known exactly; of older ones each client's highest sequence is kept as its mark.
 */
import type { RequestId } from "../commands.js";

const REMEMBERED_WRITES = 1_000;
/** Marks of clients that have written nothing for long go first. */
const REMEMBERED_CLIENTS = 10_000;

interface ClientWrites {
  /** Sequences up to here are forgotten, except those in `revisions`. */
  mark: number;
  readonly revisions: Map<number, number>;
}

export class RequestLog {
  /** Ordered by the last write, so that the idlest client comes first. */
  readonly #clients = new Map<string, ClientWrites>();
  /** A ring of the remembered writes; the next one takes the place of the oldest. */
  readonly #ring: RequestId[] = [];
  #next = 0;
  #lastWriter = "";

  /** The revision that carried the request out; "new" if it is to be carried out; "forgotten" if nobody can tell. */
  find({ clientId, sequence }: RequestId): number | "new" | "forgotten" {
    const client = this.#clients.get(clientId);
    if (client === undefined) return "new";
    return client.revisions.get(sequence) ?? (sequence <= client.mark ? "forgotten" : "new");
  }

  /** Remembers that a revision carried the request out. */
  record(id: RequestId, revision: number): void {
    this.#writesOf(id.clientId).revisions.set(id.sequence, revision);
    const forgotten = this.#ring[this.#next];
    if (forgotten !== undefined) this.#forget(forgotten);
    this.#ring[this.#next] = id;
    this.#next = (this.#next + 1) % REMEMBERED_WRITES;
  }

  /** A log of its own with the same content. */
  copy(): RequestLog {
    const copy = new RequestLog();
    for (const [id, { mark, revisions }] of this.#clients) {
      copy.#clients.set(id, { mark, revisions: new Map(revisions) });
    }
    copy.#ring.push(...this.#ring);
    copy.#next = this.#next;
    copy.#lastWriter = this.#lastWriter;
    return copy;
  }

  #writesOf(clientId: string): ClientWrites {
    const known = this.#clients.get(clientId);
    if (known !== undefined && clientId === this.#lastWriter) return known;
    const client = known ?? { mark: 0, revisions: new Map<number, number>() };
    this.#clients.delete(clientId);
    this.#clients.set(clientId, client);
    this.#lastWriter = clientId;
    if (this.#clients.size > REMEMBERED_CLIENTS) {
      const [idlest] = this.#clients.keys();
      this.#clients.delete(idlest as string);
    }
    return client;
  }

  #forget({ clientId, sequence }: RequestId): void {
    const client = this.#clients.get(clientId);
    if (client === undefined) return;
    client.revisions.delete(sequence);
    client.mark = Math.max(client.mark, sequence);
  }
}
