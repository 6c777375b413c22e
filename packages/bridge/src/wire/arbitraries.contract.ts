/** Any command and any answer there can be, for tests of everything that carries them. */
import fc from "fast-check";
import type {
  Command,
  CommandKind,
  CommandOf,
  ItemSet,
  Reply,
  ReplyTo,
  RequestId,
  Revision,
  SessionInfo,
  SetItem,
} from "../core/commands.js";
import type { HistoryEntry } from "../core/history.js";
import { INT64_MAX, INT64_MIN, type KnownLiteral, type Literal } from "../core/literal.js";
import { EMPTY_METADATA, type Metadata } from "../core/metadata.js";
import { REASONS, Refusal } from "../core/refusal.js";
import type { VariableAt, VariableChange } from "../core/session/event.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { TYPE_NAMES } from "../core/values/registry.js";
import type { Definition, Variable } from "../core/variable.js";
import type { Told, Watch } from "../core/watch.js";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.constantFrom("", "\ufeffa", "__proto__", "\0", "a\u0301", "\u{1f600}", "e".repeat(300)),
);
/** Every bit pattern that a program can tell apart. */
const double = fc.oneof(fc.double(), fc.constantFrom(-0, Number.NaN, Number.POSITIVE_INFINITY, 5e-324));
const int64 = fc.bigInt({ min: INT64_MIN, max: INT64_MAX });
const count = fc.oneof(fc.nat(5), fc.maxSafeNat());
const size = fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
/** From the beginning of 1970 to beyond 9999. */
const wallTime = fc.integer({ min: 0, max: 2 ** 48 });

const known: fc.Arbitrary<KnownLiteral> = fc.oneof(
  fc.record({ kind: fc.constant("float" as const), value: double }),
  fc.record({ kind: fc.constant("integer" as const), value: int64 }),
  fc.record({ kind: fc.constant("number" as const), value: double }),
  fc.record({ kind: fc.constant("string" as const), value: text }),
  fc.record({ kind: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ kind: fc.constant("json" as const), value: text }),
);
const literal: fc.Arbitrary<Literal> = fc.oneof(
  { weight: 9, arbitrary: known },
  { weight: 1, arbitrary: fc.constant({ kind: "unknown" as const }) },
);
const pairs = fc.array(fc.tuple(text, text), { maxLength: 4 });
const metadata: fc.Arbitrary<Metadata> = pairs.map((entries) =>
  entries.length === 0 ? EMPTY_METADATA : new Map(entries),
);
const constraints = <L>(values: fc.Arbitrary<L>) =>
  fc.array(fc.record({ key: text, values: fc.array(values, { maxLength: 2 }) }), { maxLength: 3 });

const hex = fc
  .uint8Array({ minLength: 16, maxLength: 16 })
  .map((bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(""));
const requestId: fc.Arbitrary<RequestId> = fc.record({ clientId: hex, sequence: count });
export const revision: fc.Arbitrary<Revision> = fc.oneof(
  fc.record({ incarnation: hex, number: count, check: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }) }),
  fc.constant({ incarnation: "", number: 0, check: 0n }),
);
const onMissing = fc.constantFrom("fail" as const, "inferVariable" as const, "infer" as const);

const item: fc.Arbitrary<SetItem> = fc.record(
  { identifier: text, value: literal, expectedVersion: count },
  { requiredKeys: ["identifier", "value"] },
);
const definition: fc.Arbitrary<Definition> = fc.record({
  name: text,
  type: fc.constantFrom("", ...TYPE_NAMES),
  initialValue: literal,
  constraints: constraints(literal),
  metadata: pairs,
});

const sessionId = text;
const identifier = text;
const source = text;
const write = { requestId, source };

function record<T extends object, O extends object>(
  parts: { [K in keyof T]: fc.Arbitrary<T[K]> },
  options: { [K in keyof O]: fc.Arbitrary<O[K]> },
): fc.Arbitrary<T & Partial<O>> {
  const required = Object.keys(parts);
  return fc.record({ ...parts, ...options } as never, { requiredKeys: required as never[] }) as never;
}

/** Commands of every kind. */
export const COMMANDS: { readonly [K in CommandKind]: fc.Arbitrary<CommandOf<K>> } = {
  ping: fc.record({ kind: fc.constant("ping" as const), message: text }),
  createSession: record(
    { kind: fc.constant("createSession" as const), sessionId, metadata: pairs },
    { ttlMs: fc.integer({ min: -(2 ** 50), max: 2 ** 50 }), ...write },
  ),
  getSession: fc.record({ kind: fc.constant("getSession" as const), sessionId }),
  listSessions: record(
    { kind: fc.constant("listSessions" as const), pageSize: size, pageToken: text },
    { glob: text },
  ),
  heartbeat: fc.record({ kind: fc.constant("heartbeat" as const), sessionId }),
  deleteSession: record({ kind: fc.constant("deleteSession" as const), sessionId }, { source }),
  registerVariable: record(
    { kind: fc.constant("registerVariable" as const), sessionId, definition, onMissing },
    write,
  ),
  ensureVariables: record(
    {
      kind: fc.constant("ensureVariables" as const),
      sessionId,
      definitions: fc.array(definition, { maxLength: 3 }),
    },
    { source },
  ),
  getVariable: fc.record({ kind: fc.constant("getVariable" as const), sessionId, identifier }),
  getVariables: fc.record({
    kind: fc.constant("getVariables" as const),
    sessionId,
    identifiers: fc.array(text),
  }),
  setVariable: record(
    { kind: fc.constant("setVariable" as const), sessionId, item, onMissing, metadata: pairs },
    write,
  ),
  setVariables: record(
    {
      kind: fc.constant("setVariables" as const),
      sessionId,
      items: fc.array(item, { maxLength: 5 }),
      atomic: fc.boolean(),
      onMissing,
      metadata: pairs,
    },
    write,
  ),
  incrementVariable: record(
    {
      kind: fc.constant("incrementVariable" as const),
      sessionId,
      identifier,
      by: literal,
      onMissing,
      metadata: pairs,
    },
    write,
  ),
  deleteVariable: record({ kind: fc.constant("deleteVariable" as const), sessionId, identifier }, write),
  listVariables: record(
    { kind: fc.constant("listVariables" as const), sessionId, pageSize: size, pageToken: text },
    { glob: text, type: fc.constantFrom(...TYPE_NAMES), source },
  ),
  getVariableHistory: record(
    { kind: fc.constant("getVariableHistory" as const), sessionId, identifier },
    { limit: size },
  ),
};

/** Any command. */
export const command: fc.Arbitrary<Command> = fc.oneof(...Object.values(COMMANDS));

/** What a variable of each type may hold. */
const stored = fc.oneof(
  fc.record({ type: fc.constant("float" as const), value: double }),
  fc.record({ type: fc.constant("integer" as const), value: int64 }),
  fc.record({ type: fc.constant("string" as const), value: text }),
  fc.record({ type: fc.constant("boolean" as const), value: fc.boolean() }),
  fc.record({ type: fc.constant("choice" as const), value: text }),
  fc.record({ type: fc.constant("json" as const), value: text }),
);
const variable: fc.Arbitrary<Variable> = fc
  .tuple(
    stored,
    constraints(known),
    fc.record({
      id: text,
      name: text,
      version: count,
      registered: metadata,
      source,
      createdAtMs: wallTime,
      updatedAtMs: wallTime,
      provisional: fc.boolean(),
    }),
  )
  .map(([kept, list, rest]) => ({
    ...rest,
    ...kept,
    latest: EMPTY_METADATA,
    limits: { constraints: list, check: () => undefined },
  }));
const itemSet: fc.Arbitrary<ItemSet> = fc
  .tuple(stored, fc.record({ id: text, version: count }))
  .map(([kept, rest]) => ({ ...rest, ...kept }));
const historyEntry: fc.Arbitrary<HistoryEntry> = fc
  .tuple(stored, fc.record({ version: count, revision: count, wallTimeMs: wallTime, source, metadata }))
  .map(([kept, rest]) => ({ ...rest, ...kept }));
const session: fc.Arbitrary<SessionInfo> = fc.record({
  id: text,
  revision,
  ttlMs: fc.nat(2 ** 40),
  metadata,
  createdAtMs: wallTime,
  lastAccessedAtMs: wallTime,
  variableCount: size,
});

const where = record({}, { sessionId, identifier });
const specific = fc.oneof(
  fc.constant({}),
  fc.record({ typeMismatch: fc.record({ expected: fc.constantFrom("", ...TYPE_NAMES), actual: text }) }),
  fc.record({ constraint: text }),
  fc.record({ versionConflict: fc.record({ expected: count, current: count }) }),
  fc.record({ limit: record({ setting: text, limit: count }, { actual: count }) }),
  fc.record({ field: text }),
);
const refusalOfOne: fc.Arbitrary<Refusal> = fc
  .tuple(fc.constantFrom(...REASONS), text, where, specific)
  .map(([reason, message, at, details]) => new Refusal(reason, message, { ...at, ...details }));

/** Any refusal, that of a batch too. */
export const refusal: fc.Arbitrary<Refusal> = fc.oneof(
  { weight: 4, arbitrary: refusalOfOne },
  {
    weight: 1,
    arbitrary: fc
      .tuple(text, where, fc.array(fc.record({ index: size, identifier: text, refusal: refusalOfOne })))
      .map(([message, at, items]) => new Refusal("BATCH_REFUSED", message, { ...at, items })),
  },
);

/** Replies of every kind. */
export const REPLIES: { readonly [K in CommandKind]: fc.Arbitrary<ReplyTo<K>> } = {
  ping: fc.record({
    kind: fc.constant("ping" as const),
    message: text,
    serverTimeMs: wallTime,
    serverVersion: text,
  }),
  createSession: fc.record({
    kind: fc.constant("createSession" as const),
    session,
    created: fc.boolean(),
  }),
  getSession: fc.record({ kind: fc.constant("getSession" as const), session }),
  listSessions: fc.record({
    kind: fc.constant("listSessions" as const),
    sessions: fc.array(session, { maxLength: 3 }),
    nextPageToken: text,
  }),
  heartbeat: fc.record({ kind: fc.constant("heartbeat" as const), revision }),
  deleteSession: fc.record({ kind: fc.constant("deleteSession" as const), revision }),
  registerVariable: fc.record({ kind: fc.constant("registerVariable" as const), variable, revision }),
  ensureVariables: fc.record({
    kind: fc.constant("ensureVariables" as const),
    variables: fc.array(variable, { maxLength: 3 }),
    revision,
  }),
  getVariable: fc.record({ kind: fc.constant("getVariable" as const), variable, revision }),
  getVariables: fc.record({
    kind: fc.constant("getVariables" as const),
    found: fc.array(fc.record({ identifier, variable }), { maxLength: 3 }),
    missing: fc.array(text),
    revision,
  }),
  setVariable: fc.record({ kind: fc.constant("setVariable" as const), item: itemSet, revision }),
  setVariables: fc.record({
    kind: fc.constant("setVariables" as const),
    results: fc.array(fc.oneof(itemSet, refusalOfOne), { maxLength: 4 }),
    revision,
  }),
  incrementVariable: fc.record({ kind: fc.constant("incrementVariable" as const), item: itemSet, revision }),
  deleteVariable: fc.record({ kind: fc.constant("deleteVariable" as const), revision }),
  listVariables: fc.record({
    kind: fc.constant("listVariables" as const),
    variables: fc.array(variable, { maxLength: 3 }),
    nextPageToken: text,
    revision,
  }),
  getVariableHistory: fc.record({
    kind: fc.constant("getVariableHistory" as const),
    id: text,
    entries: fc.array(historyEntry, { maxLength: 4 }),
    compacted: fc.boolean(),
    revision,
  }),
};

/** Any reply. */
export const reply: fc.Arbitrary<Reply> = fc.oneof(...Object.values(REPLIES));

const word = fc.string({ unit: "grapheme", maxLength: 20 });
const side: fc.Arbitrary<VariableAt> = fc.oneof(
  fc
    .tuple(stored, fc.record({ version: count }))
    .map(([{ type, value }, { version }]) => ({ version, type, value })),
  fc.record({ version: count, type: fc.constantFrom(...TYPE_NAMES) }),
  fc.record({ version: count }),
);
const change: fc.Arbitrary<VariableChange> = fc.record(
  { name: word, id: word, before: side, after: side },
  { requiredKeys: ["name"] },
);

/** Whatever a watch may tell. */
export const told: fc.Arbitrary<Told> = fc.oneof(
  fc.record({ kind: fc.constant("bookmark" as const), revision }),
  fc.record({
    kind: fc.constant("event" as const),
    event: fc.record({
      sessionId: word,
      revision,
      kind: fc.constantFrom("changed" as const, "created" as const, "deleted" as const, "expired" as const),
      source: word,
      wallTimeMs: wallTime,
      metadata,
      changes: fc.array(change, { maxLength: 4 }),
    }),
  }),
);

/** Whatever may be watched. */
export const watch: fc.Arbitrary<Watch> = fc.record(
  {
    sessionId: text,
    names: fc.array(text, { maxLength: 4 }),
    glob: text,
    after: revision,
    passive: fc.boolean(),
  },
  { requiredKeys: ["sessionId", "names", "passive"] },
);

/** Whatever may be followed. */
export const follow: fc.Arbitrary<Follow> = fc.record(
  { sessionId: text, after: revision, passive: fc.boolean() },
  { requiredKeys: ["sessionId", "passive"] },
);

/** Whatever a follower may be told. */
export const update: fc.Arbitrary<StateUpdate> = fc.record(
  {
    base: revision,
    revision,
    changed: fc.array(
      fc
        .tuple(stored, fc.record({ name: word, id: word, version: count }), fc.boolean())
        .map(([{ type, value }, named, isTold]) => ({ ...named, type, ...(isTold ? { value } : {}) })),
      { maxLength: 4 },
    ),
    deleted: fc.array(word, { maxLength: 4 }),
    more: fc.boolean(),
  },
  { requiredKeys: ["revision", "changed", "deleted", "more"] },
);
