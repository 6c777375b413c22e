/** The TypeScript side of tests with several clients; `driver.ts` is the other end and says what the lines are. */
import { createInterface } from "node:readline";
import {
  BatchError,
  BridgeError,
  type Client,
  connect,
  type HistoryView,
  type JsonConstraints,
  type Session,
  type SessionEventView,
  type SessionStore,
  type SessionWatch,
  type TypeName,
  type VariableValue,
  type VariableView,
  type Written,
} from "snakepit-bridge/client";
import { connect as connectPage } from "snakepit-bridge/web";
import { isSame, tag, untag } from "../tagged.js";
import type { Json, JsonObject } from "../vectors/files.js";

const isPage = process.argv[2] === "page";

/** The methods that were called. */
const used = new Set<string>();

function watched<T extends object>(target: T): T {
  return new Proxy(target, {
    get(object, key) {
      const member: unknown = Reflect.get(object, key, object);
      if (typeof member !== "function") return member;
      used.add(`${object.constructor.name}.${String(key)}`);
      return member.bind(object) as unknown;
    },
  });
}

/**
 * Who uses a session. Until it has created the session it has no `Session`, and speaks to the store, whose writes create what is
 * missing unless it is strict.
 */
interface Actor {
  readonly id: string;
  readonly strict: boolean;
  readonly live: boolean;
  readonly client: Client;
  readonly store: SessionStore;
  session?: Session;
  /** Its last watch. */
  watch?: SessionWatch<SessionEventView>;
  /** What its last listener was told, and who waits for more. */
  heard?: { readonly events: SessionEventView[]; tell: () => void; readonly stop: () => void };
}

/** What a method may be given; each takes its part of it. */
interface Given {
  readonly name: string;
  readonly names: readonly string[];
  readonly type: TypeName;
  readonly value: Json;
  readonly initial_value: Json;
  readonly constraints?: JsonObject;
  readonly updates: JsonObject;
  readonly atomic?: boolean;
  readonly by?: Json;
  readonly add?: Json;
  readonly to?: Json;
  readonly equals?: Json;
  readonly default?: Json;
  readonly glob?: string;
  readonly source?: string;
  readonly limit?: number;
  readonly passive?: boolean;
  readonly after?: string;
  readonly expected_version?: number;
  readonly ttl_ms?: number;
  readonly timeout_ms?: number;
  readonly metadata?: Readonly<Record<string, string>>;
}

interface Options {
  timeoutMs?: number;
  ttlMs?: number;
  expectedVersion?: number;
  metadata?: Readonly<Record<string, string>>;
  limit?: number;
  constraints?: JsonConstraints;
  onMissing?: "fail" | "infer";
}

const METHODS: Readonly<Record<string, (actor: Actor, given: Given) => Promise<Json>>> = {
  async create_session(actor, given) {
    const { created } = await actor.store.createSession(actor.id, options(given));
    const { strict, live } = actor;
    const cache = live ? "live" : "off";
    actor.session = watched(await actor.client.session(actor.id, undefined, { strict, cache }));
    return created;
  },
  async get_variable({ session, store, id }, given) {
    if (session === undefined) return tag((await store.getVariable(id, given.name, options(given))).value);
    if (given.default === undefined) return tag(await session.get(given.name, options(given)));
    return tag(await session.get(given.name, { ...options(given), default: untag(given.default) }));
  },
  async read(actor, given) {
    const { after } = given;
    const { value, type, version, revision, source, stale } = await opened(actor).read(given.name, {
      ...options(given),
      ...(after === undefined ? {} : { after }),
    });
    return { value: tag(value), type, version, revision, source, stale };
  },
  async peek(actor, given) {
    return tag(opened(actor).peek(given.name));
  },
  async ready(actor, given) {
    await opened(actor).ready(options(given));
    return null;
  },
  async get_variables({ session, store, id }, given) {
    if (session !== undefined) {
      const values = await session.getMany(given.names, options(given));
      return fromEntries(Object.entries(values), tag);
    }
    const { found } = await store.getVariables(id, given.names, options(given));
    return fromEntries(found, ({ value }) => tag(value));
  },
  async set_variable(actor, given) {
    const value = untag(given.value) as VariableValue;
    return written(
      await (actor.session?.set(given.name, value, options(given)) ??
        actor.store.updateVariable(actor.id, given.name, value, inferring(actor, given))),
    );
  },
  async increment(actor, given) {
    const by = given.by === undefined ? undefined : (untag(given.by) as number | bigint);
    const { value } = await (actor.session?.increment(given.name, by, options(given)) ??
      actor.store.incrementVariable(actor.id, given.name, by, inferring(actor, given)));
    return tag(value);
  },
  async update_variable(actor, given) {
    const { add, to } = given;
    const compute = (value: VariableValue): VariableValue =>
      add === undefined ? (untag(to ?? null) as VariableValue) : Number(value) + Number(untag(add));
    return written(await opened(actor).update(given.name, compute, options(given)));
  },
  async update_variables(actor, given) {
    const updates = valuesOf(given.updates);
    const results = await (actor.session?.setMany(updates, { ...options(given), atomic: false }) ??
      actor.store.updateVariables(actor.id, updates, { ...inferring(actor, given), atomic: false }));
    return fromEntries(results, (result) => (result instanceof BridgeError ? result.message : true));
  },
  async set_variables(actor, given) {
    const updates = valuesOf(given.updates);
    const {
      revision = null,
      point = null,
      versions,
    } = await (actor.session?.setMany(updates, options(given)) ??
      actor.store.updateVariables(actor.id, updates, inferring(actor, given)));
    return { revision, point, versions: fromEntries(versions, (version) => version) };
  },
  async wait_for({ session, store, id }, given) {
    const { equals } = given;
    const isWanted = (value: VariableValue): boolean => equals === undefined || isSame(equals, tag(value));
    if (session !== undefined) return tag(await session.waitFor(given.name, isWanted, options(given)));
    const variable = await store.waitForVariable(
      id,
      given.name,
      ({ value }) => isWanted(value),
      options(given),
    );
    return tag(variable.value);
  },
  async watch(actor, { names, glob, passive, after }) {
    const { session, store, id } = actor;
    const point = after === undefined ? undefined : actor.watch?.point;
    const options = point === undefined ? {} : { after: point };
    const isOfStore = session === undefined || glob !== undefined || passive !== undefined;
    actor.watch = isOfStore
      ? store.watch(id, {
          ...options,
          ...(names === undefined ? {} : { names }),
          ...(glob === undefined ? {} : { glob }),
          ...(passive === undefined ? {} : { passive }),
        })
      : session.watch(names, options);
    await actor.watch.ready();
    return null;
  },
  async next_event({ watch }) {
    const next = await watch?.next();
    return next?.done === false ? event(next.value) : null;
  },
  async end_watch({ watch }) {
    await watch?.return();
    return null;
  },
  async on_change(actor, { names }) {
    const events: SessionEventView[] = [];
    const stop = opened(actor).onChange(names, (told) => {
      events.push(told);
      heard.tell();
    });
    const heard = { events, tell: () => {}, stop };
    actor.heard = heard;
    return null;
  },
  async next_change({ heard }) {
    while (heard?.events.length === 0)
      await new Promise<void>((resolve) => {
        heard.tell = resolve;
      });
    const told = heard?.events.shift();
    return told === undefined ? null : event(told);
  },
  async end_on_change({ heard }) {
    heard?.stop();
    return null;
  },
  async register_variable(actor, { name, type, initial_value, ...given }) {
    const [value, more] = [untag(initial_value), options(given)];
    const variable = await (actor.session?.register(name, type as "json", value, more) ??
      actor.store.registerVariable(actor.id, name, type as "json", value, inferring(actor, given)));
    return variable.id;
  },
  async ensure_variable({ session, store, id }, { name, type, initial_value, ...given }) {
    const [value, more] = [untag(initial_value), options(given)];
    const variable = await (session?.ensure(name, type as "json", value, more) ??
      store.ensureVariable(id, name, type as "json", value, more));
    return variable.id;
  },
  async delete_variable({ session, store, id }, given) {
    await (session?.delete(given.name, options(given)) ??
      store.deleteVariable(id, given.name, options(given)));
    return null;
  },
  async list_variables({ session, store, id }, { glob, type, source, ...given }) {
    const filter = {
      ...options(given),
      ...(glob === undefined ? {} : { glob }),
      ...(type === undefined ? {} : { type }),
      ...(source === undefined ? {} : { source }),
    };
    return (await (session?.list(filter) ?? store.listVariables(id, filter))).map(info);
  },
  async get_history({ session, store, id }, given) {
    return history(
      await (session?.history(given.name, options(given)) ??
        store.getVariableHistory(id, given.name, options(given))),
    );
  },
  async heartbeat({ session, store, id }, given) {
    await (session?.heartbeat(options(given)) ?? store.heartbeat(id, options(given)));
    return null;
  },
  async delete_session({ store, id }, given) {
    await store.deleteSession(id, options(given));
    return null;
  },
  async close({ session, client }) {
    await session?.close();
    await client.close();
    return null;
  },
};

function opened({ session }: Actor): Session {
  if (session === undefined) throw new Error("the store has no such method: create the session first");
  return session;
}

function options(given: Partial<Given>): Options {
  const { timeout_ms, ttl_ms, expected_version, metadata, limit, constraints } = given;
  return {
    ...(timeout_ms === undefined ? {} : { timeoutMs: timeout_ms }),
    ...(ttl_ms === undefined ? {} : { ttlMs: ttl_ms }),
    ...(expected_version === undefined ? {} : { expectedVersion: expected_version }),
    ...(metadata === undefined ? {} : { metadata }),
    ...(limit === undefined ? {} : { limit }),
    ...(constraints === undefined ? {} : { constraints: valuesOf(constraints) as JsonConstraints }),
  };
}

function inferring({ strict }: Actor, given: Partial<Given>): Options {
  return { ...options(given), onMissing: strict ? "fail" : "infer" };
}

function valuesOf(tagged: JsonObject): Readonly<Record<string, VariableValue>> {
  return Object.fromEntries(
    Object.entries(tagged).map(([name, value]) => [name, untag(value) as VariableValue]),
  );
}

function written({ version, revision, value, point }: Written): JsonObject {
  return { version, revision, value: tag(value), point };
}

function info({
  provisional: _,
  constraints,
  metadata,
  createdAt,
  updatedAt,
  ...variable
}: VariableView): Json {
  return {
    ...variable,
    value: tag(variable.value),
    constraints: fromEntries(constraints, tag),
    metadata: fromEntries(metadata, (text) => text),
    created_at: createdAt.getTime(),
    updated_at: updatedAt.getTime(),
  };
}

function history({ entries, ...rest }: HistoryView): JsonObject {
  return {
    ...rest,
    entries: entries.map(({ setAt, metadata, ...entry }) => ({
      ...entry,
      value: tag(entry.value),
      set_at: setAt.getTime(),
      metadata: fromEntries(metadata, (text) => text),
    })),
  };
}

function event({ kind, sessionId, revision, source, at, metadata, changes }: SessionEventView): JsonObject {
  return {
    ...{ kind, session: sessionId, revision, source, at: at.getTime() },
    metadata: fromEntries(metadata, (text) => text),
    changes: changes.map(({ name, value, version, previous, previousVersion }) => ({
      name,
      ...(value === undefined ? {} : { value: tag(value) }),
      ...(version === undefined ? {} : { version }),
      ...(previous === undefined ? {} : { previous: tag(previous) }),
      ...(previousVersion === undefined ? {} : { previous_version: previousVersion }),
    })),
  };
}

function fromEntries<V>(entries: Iterable<readonly [string, V]>, show: (value: V) => Json): JsonObject {
  return Object.fromEntries([...entries].map(([key, value]) => [key, show(value)]));
}

const FIELDS = ["expected", "actual", "current", "constraint", "field", "setting", "limit"] as const;

function failure(error: BridgeError): JsonObject {
  const { name, reason, retryable, message, sessionId: session, identifier } = error;
  const fields = error as Partial<Record<(typeof FIELDS)[number], string | number>>;
  return {
    ...{ class: name, reason, retryable, text: message },
    ...(session === undefined ? {} : { session }),
    ...(identifier === undefined ? {} : { identifier }),
    ...fromEntries(
      FIELDS.flatMap((field) => (fields[field] === undefined ? [] : [[field, fields[field]] as const])),
      (value) => value,
    ),
    ...(error instanceof BatchError ? { errors: fromEntries(error.errors, failure) } : {}),
  };
}

const actors = new Map<string, Actor>();

/** What was said, see `driver.ts`. */
interface Line {
  readonly id: number;
  readonly open?: string;
  readonly session: string;
  readonly address: string;
  readonly strict: boolean;
  readonly live: boolean;
  readonly forget?: readonly string[];
  readonly used?: boolean;
  readonly actor: string;
  readonly do: string;
  readonly with: Given;
}

async function obey(line: Line): Promise<Json> {
  if (line.open !== undefined) {
    const client = watched(isPage ? connectPage(`http://${line.address}`) : connect(line.address));
    const store = watched(client.sessions);
    actors.set(line.open, { id: line.session, strict: line.strict, live: line.live, client, store });
    return null;
  }
  if (line.forget !== undefined) {
    for (const name of line.forget) {
      await actors.get(name)?.client.close();
      actors.delete(name);
    }
    return null;
  }
  if (line.used === true) return [...used].sort();
  const [method, actor] = [METHODS[line.do], actors.get(line.actor)];
  if (method === undefined || actor === undefined) throw new Error(`no ${line.do}, or no ${line.actor}`);
  return method(actor, line.with);
}

async function answer(line: Line): Promise<JsonObject> {
  const { id } = line;
  try {
    return { id, gives: await obey(line) };
  } catch (error) {
    if (error instanceof BridgeError) return { id, fails: failure(error) };
    return { id, broke: String((error as Error).stack) };
  }
}

createInterface(process.stdin).on("line", (line) => {
  void answer(JSON.parse(line) as Line).then((told) => process.stdout.write(`${JSON.stringify(told)}\n`));
});
