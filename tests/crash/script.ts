/**
 * The same writes each time, one after the other, with every kind among them, and what a bridge has to answer to each and
 * to show after it. That is asked of a bridge on memory, so it is known to the last revision.
 */
import { createHash } from "node:crypto";
import type { Command, Reply, Revision } from "../../packages/bridge/src/core/commands.js";
import type { Literal } from "../../packages/bridge/src/core/literal.js";
import { REASONS, type Refusal } from "../../packages/bridge/src/core/refusal.js";
import { MemoryStore } from "../../packages/bridge/src/storage/memory/memory-store.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import { Bench } from "../../packages/bridge/src/testing/bench.contract.js";

/** One write; or a session that is created with the shortest TTL, outlived, and asked for. */
export type Step = { readonly what: string } & (
  | { readonly command: Extract<Command, { readonly sessionId: string }> }
  | { readonly expires: Extract<Command, { readonly kind: "createSession" }> }
);

/** A bridge that steps are carried out on. */
export interface Subject {
  /** What it answers, refusals too; rejects if it does not. */
  ask(command: Command): Promise<Reply | Refusal>;
  /** Lets more time pass than a session has to live. */
  outlive(sessionId: string): Promise<void>;
}

/** The id of the client that all writes are of. */
const CLIENT = "5c".repeat(16);
const COMMON = { onMissing: "infer", metadata: [], source: "script" } as const;
/** More sessions than one slice of folding takes. */
const MANY = Array.from({ length: 22 }, (_, i) => `many-${i}`);
/** Five of these make a round of folding due. */
const BIG = 900_000;

export const SCRIPT: readonly Step[] = numbered([
  creation("s"),
  {
    what: "registration",
    command: {
      kind: "registerVariable",
      sessionId: "s",
      definition: {
        name: "limited",
        type: "integer",
        initialValue: integer(5n),
        constraints: [{ key: "min", values: [integer(0n)] }],
        metadata: [["why", "limited"]],
      },
      onMissing: "fail",
    },
  },
  {
    what: "an ensure",
    command: {
      kind: "ensureVariables",
      sessionId: "s",
      definitions: [
        { name: "ensured", type: "string", initialValue: string("e"), constraints: [], metadata: [] },
      ],
    },
  },
  set("a set", "s", "limited", integer(7n)),
  set("a refused set", "s", "limited", integer(-1n)),
  batch("an atomic batch", true, ["a", "b", "c"]),
  batch("a refused batch", true, ["a", "limited"]),
  batch("a best-effort batch", false, ["a", "limited", "b"]),
  {
    what: "an increment",
    command: { kind: "incrementVariable", sessionId: "s", identifier: "n", by: integer(3n), ...COMMON },
  },
  { what: "deletion of a variable", command: { kind: "deleteVariable", sessionId: "s", identifier: "a" } },
  set("a deleted name again", "s", "a", string("again")),
  creation("life"),
  set("a set in a session that ends", "life", "x", integer(1n)),
  { what: "deletion of a session", command: { kind: "deleteSession", sessionId: "life" } },
  creation("life"),
  set("a set in its second life", "life", "x", integer(2n)),
  {
    what: "expiry",
    expires: { kind: "createSession", sessionId: "brief", ttlMs: 1, metadata: [] },
  },
  ...MANY.map((sessionId) => set(`an inferred session`, sessionId, "x", string(sessionId))),
  ...Array.from({ length: 5 }, (_, i) => set("a big set", "s", `big-${i}`, string(`${i}`.repeat(BIG)))),
  set("a set while it is folded", "s", "limited", integer(8n)),
  { what: "deletion of a folded session", command: { kind: "deleteSession", sessionId: "life" } },
  creation("life"),
  set("a set in its third life", "life", "x", integer(3n)),
  set("a set after all", "many-3", "x", string("after all")),
]);

/** What a bridge has to say. */
export interface Expected {
  /** Its answer to each step. */
  readonly answers: readonly string[];
  /** What it shows before each step, and after the last. */
  readonly states: readonly string[];
  /** How many commits were made before each step, and after the last. */
  readonly commits: readonly number[];
}

export async function expectations(): Promise<Expected> {
  const store = new CountingStore();
  const bench = new Bench({ store });
  const subject: Subject = {
    ask: (command) => bench.ask(command),
    outlive: async () => bench.clock.advance(1),
  };
  const answers: string[] = [];
  const states = [await stateOf(subject)];
  const commits = [0];
  for (const step of SCRIPT) {
    answers.push(comparable(await carryOut(step, subject)));
    states.push(await stateOf(subject));
    commits.push(store.commits);
  }
  return { answers, states, commits };
}

class CountingStore extends MemoryStore {
  commits = 0;

  override append(records: readonly CommitRecord[]): undefined {
    this.commits += records.length;
    super.append(records);
  }
}

/** Carries a step out, and gives the answer. */
export async function carryOut(step: Step, subject: Subject): Promise<Reply | Refusal> {
  if ("command" in step) return subject.ask(step.command);
  const { sessionId } = step.expires;
  await subject.ask(step.expires);
  await subject.outlive(sessionId);
  return subject.ask({ kind: "getSession", sessionId });
}

/** All that a bridge shows. */
export async function stateOf(subject: Subject): Promise<string> {
  const list = await subject.ask({ kind: "listSessions", pageSize: 1_000, pageToken: "" });
  if (!("kind" in list) || list.kind !== "listSessions") throw new Error("sessions are not listed");
  const states = list.sessions.map(async (session) => {
    const { id: sessionId } = session;
    const variables = await subject.ask({ kind: "listVariables", sessionId, pageSize: 1_000, pageToken: "" });
    return [session, variables];
  });
  return comparable(await Promise.all(states));
}

/** The revision that an answer names, and of which session; undefined if it names none. */
export function revisionIn(answer: Reply | Refusal): Revision | undefined {
  if ("session" in answer) return answer.session.revision;
  return "revision" in answer ? answer.revision : undefined;
}

/** Differ from run to run. */
const VOLATILE = /^(incarnation|check|.*AtMs)$/;

/** What can be compared, as text: without times and random numbers, and with long texts cut short. */
export function comparable(value: unknown): string {
  return JSON.stringify(plain(value), null, 1);
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "string" && value.length > 100) {
    return `${value.slice(0, 10)}… ${createHash("sha256").update(value).digest("hex").slice(0, 16)}`;
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value) || value instanceof Map) return Array.from(value, plain);
  const { reason, message } = value as { reason?: unknown; message?: unknown };
  if (REASONS.some((known) => known === reason)) return { refused: reason, message };
  const entries = Object.entries(value).filter(([key]) => !VOLATILE.test(key));
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, each]) => [key, plain(each)]),
  );
}

function numbered(steps: readonly Step[]): Step[] {
  return steps.map((step, i) => {
    const requestId = { clientId: CLIENT, sequence: i + 1 };
    if ("expires" in step) return { ...step, expires: { ...step.expires, requestId } };
    const { command } = step;
    // These two take none, as they can be repeated as they are.
    const takesNone = command.kind === "ensureVariables" || command.kind === "deleteSession";
    return takesNone ? step : { ...step, command: { ...command, requestId } };
  });
}

function creation(sessionId: string): Step {
  const metadata = [["of", sessionId]] as const;
  return { what: "creation of a session", command: { kind: "createSession", sessionId, ttlMs: 0, metadata } };
}

function set(what: string, sessionId: string, identifier: string, value: Literal): Step {
  return { what, command: { kind: "setVariable", sessionId, item: { identifier, value }, ...COMMON } };
}

/** All get the same text, which "limited" does not take. */
function batch(what: string, atomic: boolean, identifiers: readonly string[]): Step {
  const items = identifiers.map((identifier) => ({ identifier, value: string(what) }));
  return { what, command: { kind: "setVariables", sessionId: "s", items, atomic, ...COMMON } };
}

function integer(value: bigint): Literal {
  return { kind: "integer", value };
}

function string(value: string): Literal {
  return { kind: "string", value };
}
