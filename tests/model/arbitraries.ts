/**
 * What the model test asks: commands over a few sessions and names, so that they meet, with hostile values, names,
 * constraints and metadata among them. A sequence is plain data, so it can be shrunk, printed and replayed.
 */
import fc from "fast-check";
import type { Command, OnMissing, RequestId } from "../../packages/bridge/src/core/commands.js";
import type { Literal } from "../../packages/bridge/src/core/literal.js";
import {
  by,
  commonName,
  definition,
  FORMER_ID_OF,
  firstValue,
  goodDefinition,
  ID_OF,
  identifier,
  metadata,
  often,
  one,
  sessionId,
  USUAL_TYPES,
  value,
} from "./pools.js";
import { TYPE_WORDS } from "./rules.js";

/** One step of a sequence. */
export type Step =
  | {
      readonly do: "command";
      /** May hold placeholders, see {@link ID_OF}, {@link FORMER_ID_OF}, {@link CURRENT_VERSION}, {@link NEXT_VERSION}. */
      readonly command: Command;
      readonly deadline: "none" | "ahead" | "passed";
      readonly principal: "anyone" | "other";
      /** Compare the whole session afterwards, which is a use of it. */
      readonly inspect: boolean;
    }
  /** Commands on one session, each sent before the one before it is answered. */
  | { readonly do: "together"; readonly commands: readonly Command[] }
  /** Sends an earlier write that had a request id once more: the last one, or one before it. */
  | { readonly do: "retry"; readonly back: number; readonly change: boolean }
  | { readonly do: "advance"; readonly ms: number }
  /** Lets time pass until a session is about to expire, expires, or has expired. */
  | { readonly do: "idle"; readonly sessionId: string; readonly offsetMs: -1 | 0 | 1 }
  /** Moves the wall clock alone. */
  | { readonly do: "jump"; readonly ms: number }
  /** More writes than a session remembers. */
  | { readonly do: "flood"; readonly sessionId: string; readonly clientId: string; readonly first: number }
  /** Lets sessions fall asleep, and does not look at them. */
  | { readonly do: "sleep"; readonly ms: number }
  /** Stops and starts the engine, where the store survives that; commands have just been sent. */
  | { readonly do: "restart"; readonly commands: readonly Command[] }
  /** The process dies at an append, or as soon as the commands are sent; one that goes on may be sent them again. */
  | {
      readonly do: "crash";
      /** Sent together. */
      readonly commands: readonly Command[];
      /** The append, counted from 0. */
      readonly cut: number | undefined;
      readonly retry: boolean;
    };

/** As an expected version: the present one, and the one after it. */
export const CURRENT_VERSION = -1;
export const NEXT_VERSION = -2;

/** The clients that write; floods of one of them push the writes of all out of memory. */
export const CLIENT_IDS = ["a".repeat(32), "0123456789abcdef".repeat(2), "f".repeat(32)] as const;
const requestId: fc.Arbitrary<RequestId> = fc.oneof(
  often(30, fc.record({ clientId: one(...CLIENT_IDS), sequence: fc.integer({ min: 1, max: 12 }) })),
  often(
    1,
    one<RequestId>(
      { clientId: CLIENT_IDS[0], sequence: 0 },
      { clientId: CLIENT_IDS[0], sequence: 1.5 },
      { clientId: CLIENT_IDS[0], sequence: 2 ** 53 },
      { clientId: "", sequence: 1 },
      { clientId: "A".repeat(32), sequence: 1 },
      { clientId: "a".repeat(34), sequence: 1 },
    ),
  ),
);
const source = fc.oneof(
  often(24, one("python", "typescript", "a".repeat(32), "_-9")),
  often(1, one("", "Python", "a b", "é", "a".repeat(33), "python\n")),
);
const writer = fc
  .record({
    requestId: fc.option(requestId, { nil: undefined, freq: 2 }),
    source: fc.option(source, { nil: undefined, freq: 2 }),
  })
  .map(({ requestId: id, source: from }) => ({
    ...(id === undefined ? {} : { requestId: id }),
    ...(from === undefined ? {} : { source: from }),
  }));
const onMissing: fc.Arbitrary<OnMissing> = one<OnMissing>(
  "infer",
  "infer",
  "infer",
  "infer",
  "inferVariable",
  "fail",
);
const expectedVersion = fc.oneof(
  often(12, fc.constant(undefined)),
  often(2, fc.constant(CURRENT_VERSION)),
  often(2, one(0, NEXT_VERSION, 1, 2)),
);
const usual = commonName.chain((named) =>
  fc.record({
    identifier: one(named, named, named, ID_OF + named, FORMER_ID_OF + named),
    value: firstValue[USUAL_TYPES[named]] as fc.Arbitrary<Literal>,
  }),
);
const tooLarge = fc.constant({
  identifier: "a",
  value: { kind: "string", value: "y".repeat(10_001) } as Literal,
});
const target = fc.oneof(often(30, usual), often(20, fc.record({ identifier, value })), often(1, tooLarge));
const item = fc
  .tuple(target, expectedVersion)
  .map(([rest, version]) => (version === undefined ? rest : { ...rest, expectedVersion: version }));
const addition = fc.oneof(
  often(
    3,
    fc.record({
      identifier: one("b", "n", "n", `${ID_OF}n`, "😀é"),
      by: one<Literal>(
        { kind: "number", value: 1 },
        { kind: "number", value: -5 },
        { kind: "integer", value: 1n },
        { kind: "integer", value: -1n },
        { kind: "integer", value: 2n ** 62n },
      ),
    }),
  ),
  often(2, fc.record({ identifier, by })),
);
const glob = fc.oneof(
  often(3, fc.constant(undefined)),
  often(
    3,
    one(
      "*",
      "a*",
      "?",
      "*o*",
      "\\*",
      "??",
      "",
      "s",
      "*\u{1F600}?",
      "\\a",
      "*a*a*a*b",
      "x".repeat(1_024),
      "x".repeat(1_025),
      "a\\",
    ),
  ),
);
const pageSize = one(0, 1, 2, 3, 1_000, 1_001);
const pageToken = fc.oneof(often(3, fc.constant("")), often(2, one("a", "b", "s", "\uffff", "😀é", "zz")));
const ttlMs = fc.oneof(
  often(6, fc.constant(undefined)),
  often(2, one(1, 1_000, 5_000)),
  often(2, one(0, 30 * 86_400_000, 0.5, 3_650 * 86_400_000)),
  often(1, one(-1, -0.5, 3_650 * 86_400_000 + 1)),
);

type PageAsk = { sessionId?: string; glob: string | undefined; pageSize: number; pageToken: string };
const pageAsk = <T extends PageAsk>({ glob: pattern, ...rest }: T): Omit<T, "glob"> & { glob?: string } =>
  pattern === undefined ? rest : { ...rest, glob: pattern };

/** The most items that the limits of the test allow; some batches have one more. */
export const MAX_ITEMS = 6;

const command: fc.Arbitrary<Command> = fc.oneof(
  often<Command>(
    1,
    fc.record({
      kind: fc.constant("ping" as const),
      message: one("", "é", "x".repeat(1_024), "é".repeat(513)),
    }),
  ),
  often<Command>(
    5,
    fc
      .record({ kind: fc.constant("createSession" as const), sessionId, metadata, write: writer, ttl: ttlMs })
      .map(({ write, ttl, ...rest }) => ({
        ...rest,
        ...write,
        ...(ttl === undefined ? {} : { ttlMs: ttl }),
      })),
  ),
  often<Command>(3, fc.record({ kind: fc.constant("getSession" as const), sessionId })),
  often<Command>(
    2,
    fc.record({ kind: fc.constant("listSessions" as const), glob, pageSize, pageToken }).map(pageAsk),
  ),
  often<Command>(2, fc.record({ kind: fc.constant("heartbeat" as const), sessionId })),
  often<Command>(
    1,
    fc
      .record({
        kind: fc.constant("deleteSession" as const),
        sessionId,
        from: fc.option(source, { nil: undefined }),
      })
      .map(({ from, ...rest }) => (from === undefined ? rest : { ...rest, source: from })),
  ),
  often<Command>(
    8,
    fc
      .record({
        kind: fc.constant("registerVariable" as const),
        sessionId,
        definition,
        onMissing,
        write: writer,
      })
      .map(({ write, ...rest }) => ({ ...rest, ...write })),
  ),
  often<Command>(
    7,
    fc
      .record({
        kind: fc.constant("ensureVariables" as const),
        sessionId,
        definitions: fc.oneof(
          often(4, fc.array(goodDefinition, { minLength: 1, maxLength: 3 })),
          often(2, fc.array(definition, { maxLength: 3 })),
          often(1, fc.array(goodDefinition, { minLength: MAX_ITEMS - 1, maxLength: MAX_ITEMS + 1 })),
        ),
        from: fc.option(source, { nil: undefined }),
      })
      .map(({ from, ...rest }) => (from === undefined ? rest : { ...rest, source: from })),
  ),
  often<Command>(4, fc.record({ kind: fc.constant("getVariable" as const), sessionId, identifier })),
  often<Command>(
    3,
    fc.record({
      kind: fc.constant("getVariables" as const),
      sessionId,
      identifiers: fc.oneof(
        often(6, fc.array(identifier, { maxLength: 4 })),
        often(1, fc.array(identifier, { minLength: MAX_ITEMS, maxLength: MAX_ITEMS + 1 })),
      ),
    }),
  ),
  often<Command>(
    3,
    fc
      .record({
        kind: fc.constant("getVariableHistory" as const),
        sessionId,
        identifier,
        limit: one(undefined, 1, 2, 50, 2 ** 32 - 1, 0, -1, 1.5, 2 ** 32),
      })
      .map(({ limit, ...rest }) => (limit === undefined ? rest : { ...rest, limit })),
  ),
  often<Command>(
    14,
    fc
      .record({
        kind: fc.constant("setVariable" as const),
        sessionId,
        item,
        onMissing,
        metadata,
        write: writer,
      })
      .map(({ write, ...rest }) => ({ ...rest, ...write })),
  ),
  often<Command>(
    12,
    fc
      .record({
        kind: fc.constant("setVariables" as const),
        sessionId,
        items: fc.oneof(
          often(8, fc.array(item, { maxLength: 4 })),
          often(1, fc.array(item, { minLength: MAX_ITEMS, maxLength: MAX_ITEMS + 1 })),
        ),
        atomic: fc.boolean(),
        onMissing,
        metadata,
        write: writer,
      })
      .map(({ write, ...rest }) => ({ ...rest, ...write })),
  ),
  often<Command>(
    8,
    fc
      .record({
        kind: fc.constant("incrementVariable" as const),
        sessionId,
        addition,
        onMissing,
        metadata,
        write: writer,
      })
      .map(({ write, addition: { identifier: text, by: amount }, ...rest }) => ({
        ...rest,
        ...write,
        identifier: text,
        by: amount,
      })),
  ),
  often<Command>(
    6,
    fc
      .record({ kind: fc.constant("deleteVariable" as const), sessionId, identifier, write: writer })
      .map(({ write, ...rest }) => ({ ...rest, ...write })),
  ),
  often<Command>(
    3,
    fc
      .record({
        kind: fc.constant("listVariables" as const),
        sessionId,
        glob,
        pageSize,
        pageToken,
        type: fc.option(one(...TYPE_WORDS), { nil: undefined, freq: 1 }),
        from: fc.option(one("python", "unknown", "nobody"), { nil: undefined, freq: 1 }),
      })
      .map(({ type, from, ...rest }) => ({
        ...pageAsk(rest),
        ...(type === undefined ? {} : { type }),
        ...(from === undefined ? {} : { source: from }),
      })),
  ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  often<Step>(
    80,
    fc.record({
      do: fc.constant("command" as const),
      command,
      principal: fc.oneof(often(9, fc.constant("anyone" as const)), often(1, fc.constant("other" as const))),
      deadline: fc.oneof(
        often(20, fc.constant("none" as const)),
        often(1, one("ahead" as const, "passed" as const)),
      ),
      inspect: fc.boolean(),
    }),
  ),
  often<Step>(
    6,
    fc.record({
      do: fc.constant("retry" as const),
      back: fc.integer({ min: 0, max: 3 }),
      change: fc.boolean(),
    }),
  ),
  often<Step>(
    5,
    fc.record({ do: fc.constant("advance" as const), ms: one(1, 10, 499, 999, 1_000, 4_999, 5_000) }),
  ),
  often<Step>(
    3,
    fc.record({
      do: fc.constant("idle" as const),
      sessionId,
      offsetMs: one(-1 as const, 0 as const, 1 as const),
    }),
  ),
  often<Step>(1, fc.record({ do: fc.constant("advance" as const), ms: one(2 ** 31, 31 * 86_400_000) })),
  often<Step>(
    2,
    fc.record({
      do: fc.constant("jump" as const),
      ms: one(3_600_017, -3_600_019, 315_360_000_023, -315_360_000_029),
    }),
  ),
  often<Step>(1, fc.record({ do: fc.constant("restart" as const), commands: fc.constant([]) })),
);
/** A write that is nearly always accepted. */
const plainWrite: fc.Arbitrary<Command> = fc
  .record({ kind: fc.constant("setVariable" as const), sessionId, item: usual, requestId })
  .map((rest) => ({ ...rest, onMissing: "infer", metadata: [] }));
/** Commands that are under way in a crash: most of them make a commit, as there is little to lose of the others. */
const underWay = fc.oneof(often(3, plainWrite), often(4, command));
const onOneSession = fc
  .tuple(sessionId, fc.array(underWay, { minLength: 2, maxLength: 5 }))
  .map(([id, commands]) => onSession(commands, id));
const onSeveralSessions = fc
  .array(fc.tuple(one("s", "t"), underWay), { minLength: 3, maxLength: 8 })
  .map((commands) => commands.flatMap(([id, one]) => onSession([one], id)));
function onSession(commands: readonly Command[], sessionId: string): Command[] {
  return commands.flatMap((one) => ("sessionId" in one ? [{ ...one, sessionId }] : []));
}
const together: fc.Arbitrary<Step> = fc
  .tuple(sessionId, fc.array(command, { minLength: 2, maxLength: 5 }))
  .map(([id, commands]) => ({ do: "together", commands: onSession(commands, id) }));
const crash: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("crash" as const),
  commands: fc.oneof(onOneSession, onSeveralSessions),
  cut: one(undefined, undefined, undefined, 0, 0, 1, 1, 2),
  retry: fc.boolean(),
});
const restart: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("restart" as const),
  commands: fc.oneof(fc.constant([]), onOneSession),
});
const sleep: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("sleep" as const),
  ms: one(361_000, 400_000, 3_600_000),
});
const anyStep = fc.oneof(often(15, step), often(1, together));
const anyStepWithCrashes = fc.oneof(often(20, anyStep), often(3, crash), often(1, restart), often(2, sleep));
const flood: fc.Arbitrary<Step> = fc.record({
  do: fc.constant("flood" as const),
  sessionId: one("s", "t"),
  clientId: one(...CLIENT_IDS),
  first: one(1, 5, 100),
});

/** Most sequences begin with a session that lasts, so that they get somewhere. */
function beginning(...ttls: readonly number[]): fc.Arbitrary<readonly Step[]> {
  const plain = { do: "command", principal: "anyone", deadline: "none", inspect: false } as const;
  return fc.oneof(
    often<readonly Step[]>(1, fc.constant([])),
    often<readonly Step[]>(
      3,
      fc
        .record({ definitions: fc.array(goodDefinition, { maxLength: 3 }), ttl: one(...ttls) })
        .map(({ definitions, ttl }) => [
          { ...plain, command: { kind: "createSession", sessionId: "s", metadata: [], ttlMs: ttl } },
          { ...plain, command: { kind: "ensureVariables", sessionId: "s", definitions } },
        ]),
    ),
  );
}

/** What sequences are made of. */
export interface SequenceOptions {
  readonly maxSteps: number;
  /** One in so many has a flood in it. */
  readonly floodEvery: number;
  /** With crashes, restarts and sleep among the steps. */
  readonly crashes: boolean;
}

export function sequence({ maxSteps, floodEvery, crashes }: SequenceOptions): fc.Arbitrary<readonly Step[]> {
  const first = crashes ? beginning(0, 5_000, 900_000, 30 * 86_400_000) : beginning(0, 60_000, 5_000);
  const some = crashes ? anyStepWithCrashes : anyStep;
  // Without bias, or most sequences would be too short to get anywhere.
  const steps = fc
    .tuple(first, fc.noBias(fc.array(some, { maxLength: maxSteps, size: "max" })))
    .map(([start, rest]) => [...start, ...rest]);
  const flooded = fc
    .tuple(steps, flood, fc.nat())
    .map(([all, big, place]) => all.toSpliced(place % (all.length + 1), 0, big));
  return fc.oneof(often(floodEvery, steps), often(1, flooded));
}
