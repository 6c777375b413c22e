/**
 * The model: what a bridge has to answer, written from the rules and from nothing else. One map of sessions, each
 * command carried out on a copy that is kept if the command is accepted.
 */
import type {
  Command,
  CreateSession,
  EnsureVariables,
  IncrementVariable,
  ListSessions,
  ListVariables,
  OnMissing,
  RegisterVariable,
  RequestId,
  SetItem,
  SetVariables,
} from "../../packages/bridge/src/core/commands.js";
import {
  INT64_MAX,
  INT64_MIN,
  type KnownLiteral,
  type Literal,
  type Stored,
} from "../../packages/bridge/src/core/literal.js";
import type { Reason } from "../../packages/bridge/src/core/refusal.js";
import type { Definition } from "../../packages/bridge/src/core/variable.js";
import {
  breach,
  bytesOf,
  byUtf8,
  claim,
  globMatches,
  goodConstraints,
  goodMetadata,
  hasIdForm,
  inferredType,
  isExactAsFloat,
  isGoodName,
  isGoodRequestId,
  isGoodSource,
  isGoodVariableName,
  isRefused,
  isTypeWord,
  type Limit,
  type Pair,
  type Refused,
  refused,
  say,
  sizeFault,
  type TypeWord,
  widens,
} from "./rules.js";

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

export interface ModelVariable {
  readonly id: string;
  readonly name: string;
  type: TypeWord;
  value: Stored;
  version: number;
  limits: Limit[];
  registered: Pair[];
  latest: Pair[];
  source: string;
  readonly createdAtMs: number;
  updatedAtMs: number;
  provisional: boolean;
}

export interface ModelSession {
  readonly id: string;
  /** Counts creations; stands for the incarnation, which is random. */
  readonly life: number;
  revision: number;
  readonly ttlMs: number;
  readonly metadata: Pair[];
  readonly createdAtMs: number;
  /** By the monotonic clock: what decides. */
  usedAt: number;
  /** By the wall clock: what is shown. */
  usedAtMs: number;
  readonly variables: Map<string, ModelVariable>;
  /** Deleted names and their last versions. */
  readonly tombstones: Map<string, number>;
  /** The last writes that carried request ids, oldest first. */
  readonly remembered: { client: string; sequence: number; reply: ModelReply }[];
  /** For each client the highest sequence that was forgotten. */
  readonly marks: Map<string, number>;
}

/** A point in the life of a session. Life 0, number 0: the session does not exist. */
export interface ModelRevision {
  readonly life: number;
  readonly number: number;
}

export interface ModelItemSet {
  readonly id: string;
  readonly type: TypeWord;
  readonly version: number;
  readonly value: Stored;
}

export interface ModelInfo {
  readonly id: string;
  readonly revision: ModelRevision;
  readonly ttlMs: number;
  readonly metadata: Pair[];
  readonly createdAtMs: number;
  readonly lastAccessedAtMs: number;
  readonly variableCount: number;
}

export type ModelReply =
  | { kind: "ping"; message: string; serverTimeMs: number }
  | { kind: "createSession"; session: ModelInfo; created: boolean }
  | { kind: "getSession"; session: ModelInfo }
  | { kind: "listSessions"; sessions: ModelInfo[]; nextPageToken: string }
  | { kind: "heartbeat" | "deleteSession" | "deleteVariable"; revision: ModelRevision }
  | { kind: "registerVariable" | "getVariable"; variable: ModelVariable; revision: ModelRevision }
  | { kind: "ensureVariables"; variables: ModelVariable[]; revision: ModelRevision }
  | {
      kind: "getVariables";
      found: { identifier: string; variable: ModelVariable }[];
      missing: string[];
      revision: ModelRevision;
    }
  | { kind: "setVariable" | "incrementVariable"; item: ModelItemSet; revision: ModelRevision }
  | { kind: "setVariables"; results: (ModelItemSet | Refused)[]; revision: ModelRevision }
  | { kind: "listVariables"; variables: ModelVariable[]; nextPageToken: string; revision: ModelRevision };

type Write = Extract<Command, { requestId?: RequestId }>;

/** What the items of one command are judged with: everything that is the same for all of them. */
interface Act {
  readonly source: string;
  readonly metadata: Pair[];
  readonly inferVariable: boolean;
}

export class Model {
  readonly sessions = new Map<string, ModelSession>();
  /** By the monotonic clock and by the wall clock. */
  now = 0;
  wall = 0;
  /** Sessions of which the rules leave open whether the last command used them. */
  readonly maybeUsed = new Set<string>();
  /** What happened, for the coverage of the test. */
  readonly seen = new Map<string, number>();
  readonly #options: ModelOptions;
  #lives = 0;

  constructor(options: ModelOptions) {
    this.#options = options;
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
  apply(command: Command, deadlinePassed = false): ModelReply | Refused {
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
          return this.#maybeUsed(command.sessionId, this.#tooManyItems(), "SESSION_NOT_FOUND");
        return this.#onSession(command.sessionId, (session) => getMany(session, command.identifiers));
      case "listVariables":
        return this.#listVariables(command);
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

  #use(session: ModelSession): void {
    session.usedAt = this.now;
    session.usedAtMs = this.wall;
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
    const known = session.remembered.find((r) => r.client === id.clientId && r.sequence === id.sequence);
    if (known !== undefined) {
      this.note("a retry was answered with the original reply");
      return known.reply;
    }
    return id.sequence <= (session.marks.get(id.clientId) ?? 0) ? refused("OUTCOME_UNKNOWN") : undefined;
  }

  #remember(session: ModelSession, id: RequestId | undefined, reply: ModelReply): void {
    if (id === undefined) return;
    session.remembered.push({ client: id.clientId, sequence: id.sequence, reply });
    if (session.remembered.length <= REMEMBERED) return;
    const forgotten = session.remembered.shift();
    if (forgotten === undefined) return;
    const { client, sequence } = forgotten;
    session.marks.set(client, Math.max(sequence, session.marks.get(client) ?? 0));
  }

  #write(command: Exclude<Write, CreateSession> | EnsureVariables): ModelReply | Refused {
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
    const act: Act = { source: command.source ?? "unknown", metadata, inferVariable: onMissing !== "fail" };
    const { reply, changed } = this.#judge(draft, command, act);
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
    return answer;
  }

  #judge(
    draft: ModelSession,
    command: Exclude<Write, CreateSession> | EnsureVariables,
    act: Act,
  ): { reply: ModelReply | Refused; changed: boolean } {
    const revision = at(draft);
    const one = (reply: ModelReply | Refused): { reply: ModelReply | Refused; changed: boolean } => ({
      reply,
      changed: !isRefused(reply),
    });
    switch (command.kind) {
      case "setVariable": {
        const item = this.#set(draft, command.item, act);
        return one(isRefused(item) ? item : { kind: "setVariable", item, revision });
      }
      case "incrementVariable": {
        const item = this.#increment(draft, command, act);
        return one(isRefused(item) ? item : { kind: "incrementVariable", item, revision });
      }
      case "deleteVariable": {
        const variable = lookUp(draft, command.identifier);
        if (isRefused(variable)) return one(variable);
        draft.variables.delete(variable.name);
        draft.tombstones.set(variable.name, variable.version);
        return one({ kind: "deleteVariable", revision });
      }
      case "registerVariable":
        return one(this.#register(draft, command, act));
      case "setVariables":
        return this.#setMany(draft, command, act);
      case "ensureVariables":
        return this.#ensure(draft, command, act);
    }
  }

  // ── writing values ─────────────────────────────────────────────────────────────────────────────────────────────────

  #set(draft: ModelSession, item: SetItem, act: Act): ModelItemSet | Refused {
    const { identifier, value, expectedVersion } = item;
    const found = lookUp(draft, identifier);
    if (isRefused(found)) {
      const mayCreate = act.inferVariable
        ? expectedVersion === undefined || expectedVersion === 0
        : expectedVersion === 0;
      if (!mayCreate || !isGoodVariableName(identifier)) return found;
      const type = inferredType(value);
      const stored =
        type === undefined
          ? refused("INVALID_VALUE", { identifier })
          : this.#storable(type, [], value, identifier);
      const full = this.#noRoomFor(draft, identifier);
      if (full !== undefined) return isRefused(stored) ? eitherOf(stored, full) : full;
      if (isRefused(stored) || type === undefined) return stored as Refused;
      if (expectedVersion === 0) this.note("expected_version 0 created a variable");
      return this.#create(draft, identifier, type, stored, act);
    }
    if (expectedVersion !== undefined && expectedVersion !== found.version) {
      const versionConflict = { expected: expectedVersion, current: found.version };
      return refused("VERSION_CONFLICT", { identifier, versionConflict });
    }
    const type = found.provisional && found.type === "integer" && widens(value) ? "float" : found.type;
    const stored = this.#storable(type, found.limits, value, identifier);
    if (isRefused(stored)) return stored;
    return this.#put(found, type, stored, act);
  }

  #increment(draft: ModelSession, command: IncrementVariable, act: Act): ModelItemSet | Refused {
    const { identifier, by } = command;
    const found = lookUp(draft, identifier);
    if (isRefused(found)) {
      if (!act.inferVariable || !isGoodVariableName(identifier)) return found;
      const type = inferredType(by);
      const full = this.#noRoomFor(draft, identifier);
      if (type !== "float" && type !== "integer") {
        const mismatch = refused(type === undefined ? "INVALID_VALUE" : "TYPE_MISMATCH", { identifier });
        return full === undefined ? mismatch : eitherOf(mismatch, full);
      }
      if (full !== undefined) return full;
      const sum = this.#sum(type, type === "float" ? 0 : 0n, by, identifier);
      return isRefused(sum) ? sum : this.#create(draft, identifier, type, sum, act);
    }
    if (by.kind === "unknown") return refused("INVALID_VALUE", { identifier });
    if (found.type !== "float" && found.type !== "integer") {
      return refused("TYPE_MISMATCH", {
        identifier,
        typeMismatch: { expected: found.type, actual: by.kind },
      });
    }
    const type = found.provisional && found.type === "integer" && widens(by) ? "float" : found.type;
    const sum = this.#sum(type, found.value as number | bigint, by, identifier);
    if (isRefused(sum)) return sum;
    const broken = breach(found.limits, sum);
    return broken === undefined ? this.#put(found, type, sum, act) : { ...broken, identifier };
  }

  #sum(
    type: "float" | "integer",
    from: number | bigint,
    by: Literal,
    identifier: string,
  ): number | bigint | Refused {
    const added = claim(type, by);
    if (isRefused(added)) return { ...added, identifier };
    if (type === "float") {
      if (typeof from === "bigint" && !isExactAsFloat(from))
        return refused("TYPE_MISMATCH", { identifier, says: [String(from)] });
      return Number(from) + (added as number);
    }
    const sum = (from as bigint) + (added as bigint);
    if (sum > INT64_MAX) {
      this.note("an increment overflowed");
      return refused("CONSTRAINT_VIOLATED", {
        identifier,
        constraints: ["max"],
        message: `value ${sum} is above maximum ${INT64_MAX}`,
      });
    }
    if (sum < INT64_MIN)
      return refused("CONSTRAINT_VIOLATED", {
        identifier,
        constraints: ["min"],
        message: `value ${sum} is below minimum ${INT64_MIN}`,
      });
    return sum;
  }

  #storable(type: TypeWord, limits: Limit[], value: Literal, identifier: string): Stored | Refused {
    const stored = claim(type, value);
    if (isRefused(stored)) return { ...stored, identifier };
    const fault = sizeFault(stored, this.#options.maxValueBytes) ?? breach(limits, stored);
    return fault === undefined ? stored : { ...fault, identifier };
  }

  #noRoomFor(draft: ModelSession, name: string): Refused | undefined {
    const limit = this.#options.maxVariables;
    if (draft.tombstones.has(name) || draft.variables.size + draft.tombstones.size < limit) return undefined;
    return refused("TOO_MANY_VARIABLES", { identifier: name, limit: { setting: "max-variables", limit } });
  }

  #create(draft: ModelSession, name: string, type: TypeWord, value: Stored, act: Act): ModelItemSet {
    const variable = this.#fresh(draft, name, type, value, act.source);
    variable.provisional = true;
    variable.latest = act.metadata;
    this.note("a variable was inferred");
    return itemSet(variable);
  }

  #fresh(draft: ModelSession, name: string, type: TypeWord, value: Stored, source: string): ModelVariable {
    const before = draft.tombstones.get(name);
    if (before !== undefined) this.note("a deleted name was created again");
    draft.tombstones.delete(name);
    const variable: ModelVariable = {
      id: `var_${name}_${draft.revision}`,
      name,
      type,
      value,
      version: (before ?? 0) + 1,
      limits: [],
      registered: [],
      latest: [],
      source,
      createdAtMs: this.wall,
      updatedAtMs: this.wall,
      provisional: false,
    };
    draft.variables.set(name, variable);
    return variable;
  }

  #put(variable: ModelVariable, type: TypeWord, value: Stored, act: Act): ModelItemSet {
    if (type !== variable.type) this.note("a provisional integer became a float");
    variable.type = type;
    variable.value = value;
    variable.version++;
    variable.latest = act.metadata;
    variable.source = act.source;
    variable.updatedAtMs = this.wall;
    return itemSet(variable);
  }

  #setMany(
    draft: ModelSession,
    command: SetVariables,
    act: Act,
  ): { reply: ModelReply | Refused; changed: boolean } {
    const taken = new Set<string>();
    // Ids lead where they lead before the batch: an id that a batch makes cannot be known to it.
    const before = copyOf(draft);
    const results = command.items.map((item): ModelItemSet | Refused => {
      const { identifier } = item;
      const found = lookUp(before, identifier);
      const target = isRefused(found) ? identifier : found.name;
      const twice = taken.has(target);
      taken.add(target);
      const nowhere = isRefused(found) && !isGoodVariableName(identifier);
      if (!twice) return nowhere ? found : this.#set(draft, item, act);
      // What leads nowhere is at fault for that too, and the rules do not say which is named.
      return { reasons: nowhere ? ["DUPLICATE_ITEM", ...found.reasons] : ["DUPLICATE_ITEM"], identifier };
    });
    const faults = faultsOf(results, ({ identifier }) => identifier, command.items);
    if (command.atomic && faults.length > 0)
      return { reply: refused("BATCH_REFUSED", { items: faults }), changed: false };
    const accepted = results.length - faults.length;
    if (faults.length > 0)
      this.note(accepted > 0 ? "best effort, some accepted" : "best effort, none accepted");
    if (results.length === 0) this.note("an empty batch");
    return { reply: { kind: "setVariables", results, revision: at(draft) }, changed: accepted > 0 };
  }

  // ── definitions ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** A definition judged by itself, whatever stands. */
  #define(
    definition: Definition,
  ): { type: TypeWord; value: Stored; limits: Limit[]; metadata: Pair[] } | Refused {
    const { name, type, initialValue } = definition;
    const fault = (what: Refused): Refused => ({ ...what, identifier: name });
    if (!isGoodVariableName(name)) return fault(refused("INVALID_NAME"));
    if (!isTypeWord(type)) return fault(refused("UNKNOWN_TYPE"));
    const limits = goodConstraints(type, definition.constraints);
    const value = isRefused(limits) ? limits : this.#storable(type, limits, initialValue, name);
    // The rules give the metadata of a definition no place in the order.
    const metadata = goodMetadata(definition.metadata);
    if (isRefused(metadata)) return isRefused(value) ? fault(eitherOf(value, metadata)) : fault(metadata);
    if (isRefused(limits)) return fault(limits);
    return isRefused(value) ? value : { type, value, limits, metadata };
  }

  #register(draft: ModelSession, command: RegisterVariable, act: Act): ModelReply | Refused {
    const { name } = command.definition;
    const defined = this.#define(command.definition);
    if (isRefused(defined)) return defined;
    const standing = draft.variables.get(name);
    if (standing !== undefined && !standing.provisional)
      return refused("VARIABLE_EXISTS", { identifier: name });
    const variable = this.#stand(draft, command.definition, act);
    return isRefused(variable)
      ? variable
      : { kind: "registerVariable", variable: { ...variable }, revision: at(draft) };
  }

  /** Makes a new variable of a definition, or lays it over the one that stands (VAL-4, VAL-5). */
  #stand(draft: ModelSession, definition: Definition, act: Act): ModelVariable | Refused {
    const { name } = definition;
    const defined = this.#define(definition);
    if (isRefused(defined)) return defined;
    const { type, value, limits, metadata } = defined;
    const standing = draft.variables.get(name);
    if (standing === undefined) {
      const full = this.#noRoomFor(draft, name);
      if (full !== undefined) return full;
      const variable = this.#fresh(draft, name, type, value, act.source);
      variable.limits = limits;
      variable.registered = metadata;
      return variable;
    }
    const conflict = refused("DEFINITION_CONFLICT", { identifier: name });
    if (!standing.provisional && standing.type !== type) return conflict;
    const namesValue: Refused =
      typeof standing.value === "string" ? conflict : { ...conflict, says: [say(standing.value)] };
    const kept = claim(type, { kind: standing.type, value: standing.value } as KnownLiteral);
    if (isRefused(kept) || breach(limits, kept) !== undefined) return namesValue;
    if (standing.provisional) this.note("a provisional variable was settled");
    else this.note("constraints were replaced");
    standing.type = type;
    standing.value = kept;
    standing.limits = limits;
    if (standing.provisional) standing.registered = metadata;
    standing.provisional = false;
    return standing;
  }

  #ensure(
    draft: ModelSession,
    command: EnsureVariables,
    act: Act,
  ): { reply: ModelReply | Refused; changed: boolean } {
    const taken = new Set<string>();
    let changed = false;
    const results = command.definitions.map((definition): ModelVariable | Refused => {
      const { name } = definition;
      const twice = taken.has(name);
      taken.add(name);
      if (twice)
        return {
          reasons: isGoodVariableName(name) ? ["DUPLICATE_ITEM"] : ["INVALID_NAME", "DUPLICATE_ITEM"],
          identifier: name,
        };
      const defined = this.#define(definition);
      if (isRefused(defined)) return defined;
      const standing = draft.variables.get(name);
      const same =
        standing !== undefined &&
        !standing.provisional &&
        standing.type === defined.type &&
        sameLimits(standing.limits, defined.limits);
      if (same) return standing;
      changed = true;
      return this.#stand(draft, definition, act);
    });
    const faults = faultsOf(results, ({ name }) => name, command.definitions);
    if (faults.length > 0) return { reply: refused("BATCH_REFUSED", { items: faults }), changed: false };
    if (!changed) this.note("an ensure changed nothing");
    const variables = (results as ModelVariable[]).map((variable) => ({ ...variable }));
    return { reply: { kind: "ensureVariables", variables, revision: at(draft) }, changed };
  }

  // ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

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

/** Where two things are at fault and the rules do not say which is named. */
function eitherOf(a: Refused, b: Refused): Refused {
  const identifier = a.identifier ?? b.identifier;
  const reasons = [...a.reasons, ...b.reasons];
  return identifier === undefined ? { reasons } : { reasons, identifier };
}

/** What the rules leave open altogether. */
function open(): Refused {
  return { reasons: [] };
}

function noSession(id: string): Refused {
  return refused("SESSION_NOT_FOUND", { says: [id] });
}

function at(session: ModelSession): ModelRevision {
  return { life: session.life, number: session.revision };
}

function info(session: ModelSession): ModelInfo {
  return {
    id: session.id,
    revision: at(session),
    ttlMs: session.ttlMs,
    metadata: session.metadata,
    createdAtMs: session.createdAtMs,
    lastAccessedAtMs: session.usedAtMs,
    variableCount: session.variables.size,
  };
}

/** A copy to work on. Replies, pairs and limits are never changed in place, so they may be shared. */
function copyOf(session: ModelSession): ModelSession {
  return {
    ...session,
    variables: new Map([...session.variables].map(([name, variable]) => [name, { ...variable }])),
    tombstones: new Map(session.tombstones),
    remembered: [...session.remembered],
    marks: new Map(session.marks),
  };
}

function itemSet({ id, type, version, value }: ModelVariable): ModelItemSet {
  return { id, type, version, value };
}

/** The variable of a name or an id; what has the form of an id is an id only (VAL-8). */
function lookUp(session: ModelSession, identifier: string): ModelVariable | Refused {
  const missing = refused("VARIABLE_NOT_FOUND", { identifier });
  if (hasIdForm(identifier)) {
    const variable = [...session.variables.values()].find(({ id }) => id === identifier);
    if (variable !== undefined) return variable;
    // With something in its middle that cannot be a name it is neither a name nor an id.
    return isGoodVariableName(middleOf(identifier)) ? missing : refused("INVALID_NAME", { identifier });
  }
  if (!isGoodVariableName(identifier)) return refused("INVALID_NAME", { identifier });
  return session.variables.get(identifier) ?? missing;
}

/** The name in an id. */
function middleOf(id: string): string {
  return id.slice("var_".length, id.lastIndexOf("_"));
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

function faultsOf<I, R>(
  results: readonly (R | Refused)[],
  identifier: (item: I) => string,
  items: readonly I[],
): NonNullable<Refused["items"]> {
  return results.flatMap((result, index) =>
    isRefused(result) ? [{ index, identifier: identifier(items[index] as I), refused: result }] : [],
  );
}

function sameLimits(a: readonly Limit[], b: readonly Limit[]): boolean {
  return (
    a.length === b.length &&
    a.every(({ key, operand }, i) => key === b[i]?.key && Object.is(operand.value, b[i]?.operand.value))
  );
}
