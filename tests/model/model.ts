/**
 * The model: what a bridge has to answer, written from the rules and from nothing else. One map of sessions, each
 * command carried out on a copy that is kept if the command is accepted.
 */
import type {
  Command,
  CreateSession,
  GetVariableHistory,
  ListSessions,
  ListVariables,
  OnMissing,
  RequestId,
  VariableWrite,
} from "../../packages/bridge/src/core/commands.js";
import type { Reason } from "../../packages/bridge/src/core/refusal.js";
import { type Act, Judge, REMEMBERED_VALUES } from "./judging.js";
import {
  bytesOf,
  byUtf8,
  globMatches,
  goodMetadata,
  isGoodName,
  isGoodRequestId,
  isGoodSource,
  isRefused,
  type Pair,
  type Refused,
  refused,
} from "./rules.js";
import {
  at,
  copyOf,
  eitherOf,
  info,
  lookUp,
  type ModelReply,
  type ModelSession,
  type ModelVariable,
} from "./state.js";

export interface ModelOptions {
  readonly maxValueBytes: number;
  readonly maxItems: number;
  readonly maxVariables: number;
  readonly maxSessions: number;
  readonly defaultTtlMs: number;
}

/** How many writes with request ids a session remembers (ORD-15). */
const REMEMBERED = 1_000;
const TEN_YEARS_MS = 3_650 * 86_400_000;

export class Model {
  readonly sessions = new Map<string, ModelSession>();
  /** By the monotonic clock and by the wall clock. */
  now = 0;
  wall = 0;
  /** Sessions of which the rules leave open whether the last command used them. */
  readonly maybeUsed = new Set<string>();
  /** What happened, for the coverage of the test. */
  readonly seen = new Map<string, number>();
  /** How many commits commands have made so far. */
  commits = 0;
  readonly #options: ModelOptions;
  #lives = 0;
  /** Who asks at the moment. */
  #principal = "";

  constructor(options: ModelOptions) {
    this.#options = options;
  }

  /** Gives the way back to the sessions as they are now. */
  save(): () => void {
    const sessions = [...this.sessions.values()].map(copyOf);
    return () => {
      this.sessions.clear();
      for (const session of sessions) this.sessions.set(session.id, session);
    };
  }

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  advance(ms: number): void {
    this.now += ms;
    this.wall += ms;
    this.#expire();
  }

  #expire(): void {
    for (const [id, session] of this.sessions) {
      if (session.ttlMs === 0 || this.now - session.usedAt < session.ttlMs) continue;
      this.sessions.delete(id);
      this.note("a session expired");
    }
  }

  /** Carries a command out, or says why not. */
  apply(command: Command, { principal = "anyone", deadlinePassed = false } = {}): ModelReply | Refused {
    this.#principal = principal;
    if ("sessionId" in command && !isGoodName(command.sessionId)) return refused("INVALID_NAME");
    if (deadlinePassed) return refused("DEADLINE_EXCEEDED");
    switch (command.kind) {
      case "ping":
        return this.#ping(command.message);
      case "createSession":
        return this.#createSession(command);
      case "listSessions":
        return this.#listSessions(command);
      case "getSession":
        return this.#onSession(command.sessionId, (session) => ({
          kind: "getSession",
          session: info(session),
        }));
      case "heartbeat":
        return this.#onSession(command.sessionId, (session) => ({
          kind: "heartbeat",
          revision: at(session),
        }));
      case "deleteSession": {
        const fault = this.#sourceFault(command.source);
        if (fault !== undefined) return fault;
        return this.#onSession(command.sessionId, (session) => {
          this.sessions.delete(command.sessionId);
          this.commits++;
          return { kind: "deleteSession", revision: { life: session.life, number: session.revision + 1 } };
        });
      }
      case "getVariable":
        return this.#onSession(command.sessionId, (session) => {
          const variable = lookUp(session, command.identifier);
          return isRefused(variable)
            ? variable
            : { kind: "getVariable", variable: { ...variable }, revision: at(session) };
        });
      case "getVariables":
        if (command.identifiers.length > this.#options.maxItems)
          return this.#maybeUsed(command.sessionId, this.#tooManyItems());
        return this.#onSession(command.sessionId, (session) => getMany(session, command.identifiers));
      case "listVariables":
        return this.#listVariables(command);
      case "getVariableHistory":
        return this.#history(command);
      case "registerVariable":
      case "ensureVariables":
      case "setVariable":
      case "setVariables":
      case "incrementVariable":
      case "deleteVariable":
        return this.#write(command);
    }
  }

  // ── sessions ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #ping(message: string): ModelReply | Refused {
    if (bytesOf(message) > 1_024) return { reasons: ["TOO_LARGE", "INVALID_ARGUMENT"] };
    return { kind: "ping", message, serverTimeMs: this.wall };
  }

  #createSession(command: CreateSession): ModelReply | Refused {
    const fault = this.#writeFault(command);
    if (fault !== undefined) return fault;
    const metadata = goodMetadata(command.metadata);
    const ttlMs = command.ttlMs ?? this.#options.defaultTtlMs;
    // The rules give the TTL no place in the order.
    if (!(ttlMs >= 0 && ttlMs <= TEN_YEARS_MS)) {
      const fault = refused("INVALID_ARGUMENT", { field: "ttl" });
      return isRefused(metadata) ? eitherOf(metadata, fault) : fault;
    }
    if (isRefused(metadata)) return metadata;
    const standing = this.sessions.get(command.sessionId);
    if (standing !== undefined) {
      this.#use(standing);
      const before = this.#recall(standing, command.requestId);
      if (isRefused(before)) return before;
      if (before?.kind === "createSession") return { ...before, session: info(standing) };
      if (before !== undefined) return open();
      return { kind: "createSession", session: info(standing), created: false };
    }
    const session = this.#newSession(command.sessionId, ttlMs, metadata);
    if (isRefused(session)) return session;
    session.revision = 1;
    this.sessions.set(session.id, session);
    this.commits++;
    const reply: ModelReply = { kind: "createSession", session: info(session), created: true };
    this.#remember(session, command.requestId, reply);
    return reply;
  }

  #newSession(id: string, ttlMs: number, metadata: Pair[]): ModelSession | Refused {
    const limit = this.#options.maxSessions;
    if (this.sessions.size >= limit)
      return refused("TOO_MANY_SESSIONS", { limit: { setting: "max-sessions", limit } });
    return {
      id,
      life: ++this.#lives,
      revision: 0,
      ttlMs,
      metadata,
      createdAtMs: this.wall,
      usedAt: this.now,
      usedAtMs: this.wall,
      uses: [this.now],
      floor: undefined,
      variables: new Map(),
      tombstones: new Map(),
      remembered: [],
      marks: new Map(),
    };
  }

  #listSessions(command: ListSessions): ModelReply | Refused {
    const { glob, pageToken } = command;
    if (glob !== undefined && globMatches(glob, "") === undefined)
      return refused("INVALID_ARGUMENT", { field: "glob" });
    const all = [...this.sessions.values()]
      .filter(({ id }) => glob === undefined || globMatches(glob, id) === true)
      .sort((a, b) => byUtf8(a.id, b.id));
    const { page, nextPageToken } = pageOf(all, ({ id }) => id, pageToken, command.pageSize);
    return { kind: "listSessions", sessions: page.map(info), nextPageToken };
  }

  /** Carries a command out on a session that has to exist; it counts as use, whatever becomes of it. */
  #onSession(id: string, act: (session: ModelSession) => ModelReply | Refused): ModelReply | Refused {
    const session = this.sessions.get(id);
    if (session === undefined) return noSession(id);
    this.#use(session);
    return act(session);
  }

  /** Refuses a command for its form. Whether such a command counts as use of the session, the rules do not say. */
  #maybeUsed(id: string, fault: Refused, ifAbsent?: Reason): Refused {
    if (this.sessions.has(id)) this.maybeUsed.add(id);
    else if (ifAbsent !== undefined) return { reasons: [...fault.reasons, ifAbsent] };
    return fault;
  }

  /** Settles by observation whether the last command counted as use. */
  observeUse(id: string, usedAtMs: number): void {
    const session = this.sessions.get(id);
    if (session !== undefined && this.maybeUsed.has(id) && usedAtMs === this.wall) this.#use(session);
    this.maybeUsed.delete(id);
  }

  /**
   * Takes in that the engine has started. No session has less time left than it must have: all that it had after a stop; after
   * a crash what was stored and 60 s, and uses are stored within a minute, or two if that had to wait (ORD-12). What a start
   * forgives is not stored: the next one begins with the same.
   */
  started(after: "stop" | "crash"): void {
    for (const session of this.sessions.values()) {
      const { uses } = session;
      const atLeast = session.floor ?? session.usedAt;
      const stored = after === "stop" ? uses.at(-1) : uses.findLast((at) => at <= this.now - 120_000);
      const kept = stored ?? (uses[0] as number);
      uses.splice(0, uses.length, kept);
      session.floor = after === "stop" ? atLeast : Math.min(atLeast, kept + 60_000);
    }
  }

  /** Settles by observation how much idle time the last start has forgiven. False if it is less than it must be. */
  forgive(id: string, usedAtMs: number): boolean {
    const session = this.sessions.get(id);
    if (session?.floor === undefined) return true;
    const usedAt = this.now - (this.wall - usedAtMs);
    if (!(usedAt >= session.floor && usedAt <= this.now)) return false;
    session.usedAt = usedAt;
    session.usedAtMs = usedAtMs;
    session.floor = undefined;
    return true;
  }

  #use(session: ModelSession): void {
    if (session.uses.at(-1) !== this.now) session.uses.push(this.now);
    session.usedAt = this.now;
    session.usedAtMs = this.wall;
    session.floor = undefined;
  }

  // ── the order of checks of a write, request ids ────────────────────────────────────────────────────────────────────

  #sourceFault(source: string | undefined): Refused | undefined {
    return source === undefined || isGoodSource(source)
      ? undefined
      : refused("INVALID_ARGUMENT", { field: "source" });
  }

  #writeFault(command: { source?: string; requestId?: RequestId }): Refused | undefined {
    const fault = this.#sourceFault(command.source);
    if (fault !== undefined) return fault;
    return command.requestId === undefined || isGoodRequestId(command.requestId)
      ? undefined
      : refused("INVALID_ARGUMENT", { field: "request_id" });
  }

  #tooManyItems(): Refused {
    const limit = this.#options.maxItems;
    return refused("TOO_MANY_ITEMS", { limit: { setting: "max-items", limit } });
  }

  #recall(session: ModelSession, id: RequestId | undefined): ModelReply | Refused | undefined {
    if (id === undefined) return undefined;
    const client = clientOf(this.#principal, id);
    const known = session.remembered.find((r) => r.client === client && r.sequence === id.sequence);
    if (known !== undefined) {
      this.note("a retry was answered with the original reply");
      return known.reply;
    }
    return id.sequence <= (session.marks.get(client) ?? 0) ? refused("OUTCOME_UNKNOWN") : undefined;
  }

  #remember(session: ModelSession, id: RequestId | undefined, reply: ModelReply): void {
    if (id === undefined) return;
    session.remembered.push({ client: clientOf(this.#principal, id), sequence: id.sequence, reply });
    if (session.remembered.length <= REMEMBERED) return;
    const forgotten = session.remembered.shift();
    if (forgotten === undefined) return;
    const { client, sequence } = forgotten;
    session.marks.set(client, Math.max(sequence, session.marks.get(client) ?? 0));
  }

  #write(command: VariableWrite): ModelReply | Refused {
    const requestId = "requestId" in command ? command.requestId : undefined;
    const fault = this.#writeFault({
      ...(command.source === undefined ? {} : { source: command.source }),
      ...(requestId === undefined ? {} : { requestId }),
    });
    if (fault !== undefined) return this.#maybeUsed(command.sessionId, fault);
    const metadata = "metadata" in command ? goodMetadata(command.metadata) : [];
    if (isRefused(metadata)) return this.#maybeUsed(command.sessionId, metadata);
    const count =
      "items" in command ? command.items.length : "definitions" in command ? command.definitions.length : 1;
    if (count > this.#options.maxItems) return this.#maybeUsed(command.sessionId, this.#tooManyItems());

    const standing = this.sessions.get(command.sessionId);
    if (standing !== undefined) {
      this.#use(standing);
      const before = this.#recall(standing, requestId);
      if (before !== undefined) return isRefused(before) || before.kind === command.kind ? before : open();
    }
    const onMissing: OnMissing = "onMissing" in command ? command.onMissing : "fail";
    if (standing === undefined && onMissing !== "infer") return noSession(command.sessionId);

    const draft =
      standing === undefined
        ? this.#newSession(command.sessionId, this.#options.defaultTtlMs, [])
        : copyOf(standing);
    if (isRefused(draft)) return draft;
    draft.revision++;
    const act: Act = {
      source: command.source ?? "unknown",
      metadata,
      inferVariable: onMissing !== "fail",
      wall: this.wall,
      limits: this.#options,
      note: (what) => this.note(what),
    };
    const { reply, changed } = new Judge(draft, act).judge(command);
    if (isRefused(reply)) return reply;
    if (!changed) {
      return {
        ...reply,
        revision: standing === undefined ? { life: 0, number: 0 } : at(standing),
      } as ModelReply;
    }
    if (standing === undefined) this.note("a write created its session");
    const answer = { ...reply, revision: at(draft) } as ModelReply;
    this.#remember(draft, requestId, answer);
    this.sessions.set(draft.id, draft);
    this.commits++;
    return answer;
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Values are small here, so that a history never comes to the 1 MiB that it may take at most. */
  #history({ kind, sessionId, identifier, limit = 2 ** 32 - 1 }: GetVariableHistory): ModelReply | Refused {
    if (!Number.isInteger(limit) || limit < 1 || limit >= 2 ** 32)
      return this.#maybeUsed(sessionId, refused("INVALID_ARGUMENT", { field: "limit" }));
    return this.#onSession(sessionId, (session) => {
      const variable = lookUp(session, identifier);
      if (isRefused(variable)) return variable;
      const { id, past } = variable;
      const compacted = past.length === REMEMBERED_VALUES;
      if (compacted) this.note("a history was longer than what is kept");
      const entries = past.slice(0, Math.min(limit, REMEMBERED_VALUES - 1));
      return { kind, id, entries, compacted, revision: at(session) };
    });
  }

  #listVariables(command: ListVariables): ModelReply | Refused {
    const { glob, type, source, pageToken } = command;
    if (glob !== undefined && globMatches(glob, "") === undefined)
      return this.#maybeUsed(
        command.sessionId,
        refused("INVALID_ARGUMENT", { field: "glob" }),
        "SESSION_NOT_FOUND",
      );
    return this.#onSession(command.sessionId, (session) => {
      const all = [...session.variables.values()]
        .filter(({ name }) => glob === undefined || globMatches(glob, name) === true)
        .filter((variable) => type === undefined || variable.type === type)
        .filter((variable) => source === undefined || variable.source === source)
        .sort((a, b) => byUtf8(a.name, b.name));
      const { page, nextPageToken } = pageOf(all, ({ name }) => name, pageToken, command.pageSize);
      return {
        kind: "listVariables",
        variables: page.map((variable) => ({ ...variable })),
        nextPageToken,
        revision: at(session),
      };
    });
  }
}

/** A client of one principal: another principal's client is another one, whatever its bits (ORD-15). */
export function clientOf(principal: string, { clientId }: RequestId): string {
  return `${principal}/${clientId}`;
}

/** What the rules leave open altogether. */
function open(): Refused {
  return { reasons: [] };
}

function noSession(id: string): Refused {
  return refused("SESSION_NOT_FOUND", { says: [id] });
}

function getMany(session: ModelSession, identifiers: readonly string[]): ModelReply | Refused {
  const found: { identifier: string; variable: ModelVariable }[] = [];
  const missing: string[] = [];
  for (const identifier of identifiers) {
    const variable = lookUp(session, identifier);
    if (!isRefused(variable)) found.push({ identifier, variable: { ...variable } });
    else if (variable.reasons[0] === "VARIABLE_NOT_FOUND") missing.push(identifier);
    else return variable;
  }
  return { kind: "getVariables", found, missing, revision: at(session) };
}

function pageOf<T>(
  all: T[],
  key: (item: T) => string,
  token: string,
  size: number,
): { page: T[]; nextPageToken: string } {
  const rest = token === "" ? all : all.filter((item) => byUtf8(key(item), token) > 0);
  const count = size === 0 || size > 1_000 ? 1_000 : size;
  const page = rest.slice(0, count);
  const last = page[page.length - 1];
  return { page, nextPageToken: rest.length > count && last !== undefined ? key(last) : "" };
}
