/** An engine on a clock that stands still, for tests that ask it things. */
import type { Command, CommandKind, Reply, ReplyTo } from "../core/commands.js";
import { type BridgeLimits, DEFAULT_LIMITS } from "../core/limits.js";
import type { Literal } from "../core/literal.js";
import { Refusal } from "../core/refusal.js";
import { Engine } from "../engine/engine.js";
import { ANYONE } from "../engine/principal.js";
import { MemoryStore } from "../storage/memory/memory-store.js";
import type { CommitRecord } from "../storage/record.js";
import type { SessionHead, SessionRest, Store } from "../storage/store.js";
import { FaultyStore } from "./faulty-store.contract.js";
import { ManualClock } from "./manual-clock.js";

export interface BenchOptions {
  readonly store?: Store;
  readonly clock?: ManualClock;
  readonly limits?: Partial<BridgeLimits>;
  readonly defaultTtlMs?: number;
}

let incarnations = 0;

/** A bench whose engine has taken in what the store holds. */
export async function openBench(options: BenchOptions): Promise<Bench> {
  const bench = new Bench(options);
  await bench.engine.open();
  return bench;
}

/** An engine and what it is made of. */
export class Bench {
  readonly clock: ManualClock;
  readonly store: Store;
  readonly engine: Engine;

  constructor({
    store = new MemoryStore(),
    clock = new ManualClock(),
    limits = {},
    defaultTtlMs = 3_600_000,
  }: BenchOptions = {}) {
    this.clock = clock;
    this.store = store;
    this.engine = new Engine({
      store,
      clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
      defaultTtlMs,
      newIncarnation: () => (++incarnations).toString(16).padStart(32, "0"),
      version: "0.0.0",
    });
  }

  ask(command: Command, deadline?: number): Promise<Reply | Refusal> {
    return this.engine.dispatch(ANYONE, command, deadline);
  }

  /** Asks what has to be answered. */
  async do<K extends CommandKind>(command: Command & { kind: K }): Promise<ReplyTo<K>> {
    const answer = await this.ask(command);
    if (answer instanceof Refusal) throw new Error(`${command.kind}: ${answer.reason}: ${answer.message}`);
    return answer as ReplyTo<K>;
  }

  /** Asks what has to be refused. */
  async refused(command: Command): Promise<Refusal> {
    const answer = await this.ask(command);
    if (!(answer instanceof Refusal)) throw new Error(`${command.kind} was not refused`);
    return answer;
  }
}

export const literal = (value: number | bigint | string | boolean): Literal => {
  if (typeof value === "number") return { kind: "number", value };
  if (typeof value === "bigint") return { kind: "integer", value };
  return typeof value === "string" ? { kind: "string", value } : { kind: "boolean", value };
};

/** The shortest form of each command. */
export const command = {
  create: (sessionId: string, ttlMs?: number) =>
    ({ kind: "createSession", sessionId, metadata: [], ...(ttlMs === undefined ? {} : { ttlMs }) }) as const,
  session: (sessionId: string) => ({ kind: "getSession", sessionId }) as const,
  sessions: () => ({ kind: "listSessions", pageSize: 0, pageToken: "" }) as const,
  heartbeat: (sessionId: string) => ({ kind: "heartbeat", sessionId }) as const,
  end: (sessionId: string) => ({ kind: "deleteSession", sessionId }) as const,
  get: (sessionId: string, identifier: string) => ({ kind: "getVariable", sessionId, identifier }) as const,
  history: (sessionId: string, identifier: string, limit?: number) =>
    ({
      kind: "getVariableHistory",
      sessionId,
      identifier,
      ...(limit === undefined ? {} : { limit }),
    }) as const,
  list: (sessionId: string) => ({ kind: "listVariables", sessionId, pageSize: 0, pageToken: "" }) as const,
  set: (sessionId: string, identifier: string, value: number | bigint | string | boolean) =>
    ({
      kind: "setVariable",
      sessionId,
      item: { identifier, value: literal(value) },
      onMissing: "infer",
      metadata: [],
    }) as const,
  increment: (sessionId: string, identifier: string, by: number | bigint) =>
    ({
      kind: "incrementVariable",
      sessionId,
      identifier,
      by: literal(by),
      onMissing: "infer",
      metadata: [],
    }) as const,
  drop: (sessionId: string, identifier: string) =>
    ({ kind: "deleteVariable", sessionId, identifier }) as const,
};

/** A store in memory that outlives its engines: what one of them left, the next one opens. */
export class OutlivingStore extends MemoryStore {
  override readonly persistent: boolean = true;
  readonly #heads = new Map<string, SessionHead>();

  override async heads(): Promise<readonly SessionHead[]> {
    return [...this.#heads.values()];
  }

  override append(records: readonly CommitRecord[]): undefined {
    super.append(records);
    for (const { commit, check } of records) {
      const { sessionId, incarnation, revision, kind, created } = commit;
      const { ttlMs, restMs } = this.#heads.get(sessionId) ?? {
        ttlMs: created?.ttlMs ?? 0,
        restMs: created?.ttlMs ?? 0,
      };
      this.#heads.set(sessionId, { sessionId, incarnation, revision, check, ttlMs, restMs });
      if (kind === "deleteSession" || kind === "expireSession") this.#heads.delete(sessionId);
    }
  }

  override keepRests(rests: readonly SessionRest[], elapsedMs: number): void {
    for (const [sessionId, head] of this.#heads) {
      this.#heads.set(sessionId, { ...head, restMs: head.restMs - elapsedMs });
    }
    for (const { sessionId, incarnation, restMs } of rests) {
      const head = this.#heads.get(sessionId);
      if (head?.incarnation === incarnation) this.#heads.set(sessionId, { ...head, restMs });
    }
  }

  override async close(): Promise<void> {}
}

/** A store in memory that keeps its callers waiting until it is told to go on. */
export function heldStore(): FaultyStore {
  const store = new FaultyStore(new MemoryStore());
  store.holding = true;
  return store;
}

/** Lets everything run that can run without time passing. */
export function settle(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}

/** Whether a promise is still open when everything has run that can. */
export async function isPending(promise: Promise<unknown>): Promise<boolean> {
  let pending = true;
  const settled = (): void => {
    pending = false;
  };
  promise.then(settled, settled);
  await settle();
  return pending;
}
