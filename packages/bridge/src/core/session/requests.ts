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

/** What a log remembers: clients from the idlest on, writes from the oldest on. */
export interface RequestLogContents {
  readonly clients: readonly { readonly clientId: string; readonly mark: number }[];
  readonly writes: readonly { readonly id: RequestId; readonly revision: number }[];
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

  /** All that the log remembers, in a form that {@link RequestLog.from} reads back. */
  contents(): RequestLogContents {
    const oldestFirst = [...this.#ring.slice(this.#next), ...this.#ring.slice(0, this.#next)];
    return {
      clients: [...this.#clients].map(([clientId, { mark }]) => ({ clientId, mark })),
      writes: oldestFirst.map((id) => ({
        id,
        // 0: its client was let go. It keeps its place in the ring, so that the ring turns as it would have.
        revision: this.#clients.get(id.clientId)?.revisions.get(id.sequence) ?? 0,
      })),
    };
  }

  /** A log with these contents. */
  static from({ clients, writes }: RequestLogContents): RequestLog {
    const log = new RequestLog();
    for (const { clientId, mark } of clients) log.#clients.set(clientId, { mark, revisions: new Map() });
    for (const { id, revision } of writes) {
      if (revision > 0) log.#clients.get(id.clientId)?.revisions.set(id.sequence, revision);
      log.#ring.push(id);
    }
    log.#next = log.#ring.length % REMEMBERED_WRITES;
    return log;
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
