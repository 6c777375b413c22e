/** Holds what the engine answered against what the model says, field by field. */
import { isDeepStrictEqual } from "node:util";
import type { Command, Reply, Revision, SessionInfo } from "../../packages/bridge/src/core/commands.js";
import type { Constraint } from "../../packages/bridge/src/core/constraints.js";
import type { HistoryEntry } from "../../packages/bridge/src/core/history.js";
import type { Stored } from "../../packages/bridge/src/core/literal.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import type { Variable } from "../../packages/bridge/src/core/variable.js";
import { isRefused, type Limit, type Refused, say } from "./rules.js";
import type {
  ModelEntry,
  ModelInfo,
  ModelItemSet,
  ModelReply,
  ModelRevision,
  ModelVariable,
} from "./state.js";

/** Thrown where the engine and the model differ. */
export class Difference extends Error {}

/**
 * What revisions looked like so far. The model knows their numbers only; that incarnations and checks tell apart what
 * has to be told apart is checked here (ORD-4).
 */
export class Revisions {
  readonly #incarnations = new Map<number, string>();
  readonly #checks = new Map<string, bigint>();
  readonly #usedChecks = new Set<bigint>();

  expect(expected: ModelRevision, actual: Revision): void {
    equal("revision number", expected.number, actual.number);
    if (expected.number === 0) {
      equal("revision of an absent session", { incarnation: "", number: 0, check: 0n }, { ...actual });
      return;
    }
    const incarnation = this.#incarnations.get(expected.life);
    if (incarnation === undefined) {
      if ([...this.#incarnations.values()].includes(actual.incarnation))
        throw new Difference(`the incarnation ${actual.incarnation} was used before`);
      this.#incarnations.set(expected.life, actual.incarnation);
    } else equal("incarnation", incarnation, actual.incarnation);
    const point = `${actual.incarnation} ${actual.number}`;
    const check = this.#checks.get(point);
    if (check !== undefined) equal(`commit check of revision ${actual.number}`, check, actual.check);
    else if (this.#usedChecks.has(actual.check))
      throw new Difference(`the commit check ${actual.check} stands for two revisions`);
    this.#checks.set(point, actual.check);
    this.#usedChecks.add(actual.check);
  }

  /** The check that was answered for a revision, if one was. */
  checkOf(revision: Revision): bigint | undefined {
    return this.#checks.get(`${revision.incarnation} ${revision.number}`);
  }
}

export function equal(what: string, expected: unknown, actual: unknown): void {
  if (!isDeepStrictEqual(expected, actual))
    throw new Difference(`${what}: expected ${show(expected)}, got ${show(actual)}`);
}

/** Text of anything, in which hostile characters and kinds of numbers can be seen. */
export function show(x: unknown): string {
  return escaped(
    JSON.stringify(x, (_key, value: unknown) => {
      if (typeof value === "bigint") return `${value}n`;
      if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) return say(value);
      if (typeof value === "string" && value.length > 100)
        return `${value.slice(0, 8)}… (${value.length} units)`;
      if (value instanceof Map) return [...value];
      return value;
    }) ?? "undefined",
  );
}

function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e…]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Compares an answer to a command. */
export function compareAnswer(
  command: Command,
  expected: ModelReply | Refused,
  actual: Reply | Refusal,
  revisions: Revisions,
): void {
  if (isRefused(expected)) {
    if (expected.reasons.length === 0) {
      if (!(actual instanceof Refusal)) equal("kind of the reply", command.kind, actual.kind);
      return;
    }
    if (!(actual instanceof Refusal)) throw new Difference(`expected ${show(expected)}, got ${show(actual)}`);
    compareRefusal(expected, actual);
    if ("sessionId" in command && actual.details.sessionId !== undefined)
      equal("session id of the refusal", command.sessionId, actual.details.sessionId);
    return;
  }
  if (actual instanceof Refusal) throw new Difference(`expected ${show(expected)}, got ${show(actual)}`);
  equal("kind of the reply", expected.kind, actual.kind);
  compareReply(expected, actual, revisions);
}

function compareReply(expected: ModelReply, actual: Reply, revisions: Revisions): void {
  if (expected.kind === "ping" && actual.kind === "ping") {
    equal("message", expected.message, actual.message);
    equal("server time", expected.serverTimeMs, actual.serverTimeMs);
    return;
  }
  if (expected.kind === "createSession" && actual.kind === "createSession") {
    equal("created", expected.created, actual.created);
    compareInfo(expected.session, actual.session, revisions);
    return;
  }
  if (expected.kind === "getSession" && actual.kind === "getSession") {
    compareInfo(expected.session, actual.session, revisions);
    return;
  }
  if (expected.kind === "listSessions" && actual.kind === "listSessions") {
    equal(
      "sessions",
      expected.sessions.map(({ id }) => id),
      actual.sessions.map(({ id }) => id),
    );
    for (const [i, session] of expected.sessions.entries()) {
      compareInfo(session, actual.sessions[i] as SessionInfo, revisions);
    }
    equal("next page token", expected.nextPageToken, actual.nextPageToken);
    return;
  }
  if (!("revision" in expected) || !("revision" in actual))
    throw new Difference("a reply without a revision");
  equal("reply", plainExpected(expected), plainActual(actual));
  revisions.expect(expected.revision, actual.revision);
  if (expected.kind !== "setVariables" || actual.kind !== "setVariables") return;
  for (const [i, result] of expected.results.entries()) {
    const got = actual.results[i];
    if (isRefused(result) && got instanceof Refusal) compareRefusal(result, got);
  }
}

function compareInfo(expected: ModelInfo, actual: SessionInfo, revisions: Revisions): void {
  const { revision, ...rest } = actual;
  const { revision: at, ...wanted } = expected;
  equal("session", wanted, { ...rest, metadata: [...rest.metadata] });
  revisions.expect(at, revision);
}

export function compareRefusal(expected: Refused, actual: Refusal): void {
  const fail = (what: string): never => {
    throw new Difference(`${what}: expected ${show(expected)}, got ${show(actual)}`);
  };
  const { message, details } = actual;
  if (!expected.reasons.includes(actual.reason)) fail("reason");
  if (expected.message !== undefined && expected.message !== message) fail("message");
  if (expected.says?.some((part) => !message.includes(part))) fail("message");
  if (message === "") fail("empty message");
  if (expected.identifier !== undefined && details.identifier !== expected.identifier) fail("identifier");
  if (expected.field !== undefined && details.field !== expected.field) fail("field");
  if (expected.constraint !== undefined && expected.constraint !== details.constraint) fail("constraint");
  if (expected.typeMismatch && !isDeepStrictEqual(expected.typeMismatch, details.typeMismatch)) fail("types");
  if (expected.versionConflict && !isDeepStrictEqual(expected.versionConflict, details.versionConflict))
    fail("versions");
  if (expected.limit && expected.limit.setting !== details.limit?.setting) fail("setting");
  if (expected.limit && expected.limit.limit !== details.limit?.limit) fail("limit");
  if (expected.items === undefined) return;
  const items = details.items ?? [];
  if (items.length !== expected.items.length) fail("number of items at fault");
  for (const [i, { index, identifier, refused }] of expected.items.entries()) {
    const item = items[i];
    if (item === undefined || item.index !== index || item.identifier !== identifier)
      return fail(`item ${i} at fault`);
    if (item.refusal.details.identifier !== undefined)
      equal("identifier", identifier, item.refusal.details.identifier);
    compareRefusal(refused, item.refusal);
  }
}

// ── the same plain form of both sides ────────────────────────────────────────────────────────────────────────────────

const tagged = (value: Stored): string => `${typeof value} ${say(value)}`;

function plainLimits(limits: readonly Limit[]): unknown {
  return limits.map(({ key, operands }) => [
    key,
    ...operands.map(({ kind, value }) => [kind, tagged(value)]),
  ]);
}

function plainConstraints(constraints: readonly Constraint[]): unknown {
  return constraints.map(({ key, values }) => [
    key,
    ...values.map(({ kind, value }) => [kind, tagged(value)]),
  ]);
}

export function plainModelVariable({ limits, value, past: _, ...rest }: ModelVariable): unknown {
  return { ...rest, value: tagged(value), limits: plainLimits(limits) };
}

export function plainVariable({ limits, value, registered, latest, ...rest }: Variable): unknown {
  return {
    ...rest,
    value: tagged(value),
    limits: plainConstraints(limits.constraints),
    registered: [...registered],
    latest: [...latest],
  };
}

function plainEntry({ value, metadata, ...rest }: ModelEntry | HistoryEntry): unknown {
  return { ...rest, value: tagged(value), metadata: [...metadata] };
}

function plainItem({ id, type, version, value }: ModelItemSet): unknown {
  return { id, type, version, value: tagged(value) };
}

type WithRevision<R> = Extract<R, { revision: unknown }>;

function plainExpected(reply: WithRevision<ModelReply>): unknown {
  switch (reply.kind) {
    case "heartbeat":
    case "deleteSession":
    case "deleteVariable":
      return {};
    case "registerVariable":
    case "getVariable":
      return plainModelVariable(reply.variable);
    case "ensureVariables":
      return reply.variables.map(plainModelVariable);
    case "getVariables":
      return [
        reply.found.map(({ identifier, variable }) => [identifier, plainModelVariable(variable)]),
        reply.missing,
      ];
    case "setVariable":
    case "incrementVariable":
      return plainItem(reply.item);
    case "setVariables":
      // Refused items are compared one by one.
      return reply.results.map((result) => (isRefused(result) ? "refused" : plainItem(result)));
    case "listVariables":
      return [reply.variables.map(plainModelVariable), reply.nextPageToken];
    case "getVariableHistory":
      return [reply.id, reply.entries.map(plainEntry), reply.compacted];
  }
}

function plainActual(reply: WithRevision<Reply>): unknown {
  switch (reply.kind) {
    case "heartbeat":
    case "deleteSession":
    case "deleteVariable":
      return {};
    case "registerVariable":
    case "getVariable":
      return plainVariable(reply.variable);
    case "ensureVariables":
      return reply.variables.map(plainVariable);
    case "getVariables":
      return [
        reply.found.map(({ identifier, variable }) => [identifier, plainVariable(variable)]),
        [...reply.missing],
      ];
    case "setVariable":
    case "incrementVariable":
      return plainItem(reply.item);
    case "setVariables":
      return reply.results.map((result) => (result instanceof Refusal ? "refused" : plainItem(result)));
    case "listVariables":
      return [reply.variables.map(plainVariable), reply.nextPageToken];
    case "getVariableHistory":
      return [reply.id, reply.entries.map(plainEntry), reply.compacted];
  }
}
