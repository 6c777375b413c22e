/** The validators of watches find what they are for, and nothing in what is right. */
import { describe, expect, test } from "vitest";
import {
  atomic,
  bookmarkable,
  checkReading,
  creation,
  filtered,
  type Made,
  NOWHERE,
  ordered,
  previousValue,
  type Reading,
  reliable,
  resumable,
  type Side,
  type Step,
  type Told,
  type Truth,
  unique,
  VALIDATORS,
} from "./watch-validators.contract.js";

type Changes = Readonly<Record<string, Side | undefined>>;

const parts = { sessionId: "s", source: "test", wallTimeMs: 7, metadata: new Map([["why", "test"]]) };
const pointOf = (life: number, revision: number) => `${`${life}`.repeat(32)}-${revision}-${"c".repeat(16)}`;
const side = (version: number, value: unknown, type = "integer"): Side => ({ version, type, value });

function made(life: number, revision: number, kind: Made["kind"], changes: Changes = {}): Made {
  const list = Object.entries(changes).map(([name, after]) => ({ name, after }));
  return { ...parts, revision, kind, point: pointOf(life, revision), changes: list };
}

/** The step that tells a commit, with what was before. */
function tells(commit: Made, before: Changes = {}): Step & { readonly event: Told } {
  const { point, changes, ...rest } = commit;
  const told = changes.map(({ name, after }) => ({ name, before: before[name], after }));
  return {
    event: { ...rest, commit: point, changes: told },
    point: rest.kind === "deleted" ? NOWHERE : point,
  };
}

/** A life of a session, and another after it. */
const created = made(1, 1, "created", { y: side(1, 0) });
const one = made(1, 2, "changed", { x: side(1, 1) });
const both = made(1, 3, "changed", { x: side(2, 2), y: side(2, 1) });
const dropped = made(1, 4, "changed", { x: undefined });
const deleted = made(1, 5, "deleted");
const again = made(2, 1, "created");
const last = made(2, 2, "changed", { y: side(1, 7) });
const TRUTH: Truth = [created, one, both, dropped, deleted, again, last];

/** What one was told who watched all of it. */
const TOLD = [
  { point: NOWHERE },
  tells(created),
  tells(one),
  tells(both, { x: side(1, 1), y: side(1, 0) }),
  tells(dropped, { x: side(2, 2) }),
  tells(deleted),
  tells(again),
  tells(last),
] as const;
const WHOLE: Reading = {
  begun: { from: 0, to: 0 },
  steps: TOLD,
  wants: () => true,
  wasCut: false,
  maxBytes: 10_000,
};

const withSteps = (...steps: readonly Step[]): Reading => ({ ...WHOLE, steps });
/** The same, with one step put in the place of another. */
function withStep(place: number, ...steps: readonly Step[]): Reading {
  return withSteps(...TOLD.slice(0, place), ...steps, ...TOLD.slice(place + 1));
}
/** A step whose event is changed. */
const altered = (step: Step & { readonly event: Told }, more: Partial<Told>): Step => ({
  ...step,
  event: { ...step.event, ...more },
});
const changed = (name: string, before: Side | undefined, after: Side | undefined) => [
  { name, before, after },
];
const onlyX = (name: string): boolean => name === "x";
/** As a client shows it: no types, and of a commit its revision. */
function shown({ event, ...rest }: Step): Step {
  if (event === undefined) return rest;
  const { commit: _, changes, ...told } = event;
  const bare = (of: Side | undefined): Side | undefined => of && { version: of.version, value: of.value };
  return {
    ...rest,
    event: {
      ...told,
      changes: changes.map(({ name, before, after }) => ({ name, before: bare(before), after: bare(after) })),
    },
  };
}

describe("a reading that is right is found right:", () => {
  const [, , , , , ...end] = TOLD;
  const long = made(1, 3, "changed", { x: side(2, "x".repeat(9_000), "string"), y: side(2, 1) });
  const before = { x: side(1, "x".repeat(900), "string"), y: side(1, 0) };
  const longTruth = [created, made(1, 2, "changed", { x: before.x }), long];

  test.each<[string, Reading, Truth?]>([
    ["all of it", WHOLE],
    ["nothing", withSteps()],
    ["only where it begins", withSteps({ point: NOWHERE })],
    [
      "from where the session stood",
      { ...WHOLE, begun: { from: 2, to: 2 }, steps: [{ point: one.point }, ...TOLD.slice(3)] },
    ],
    [
      "from where the session stood when the watch arrived",
      { ...WHOLE, begun: { from: 0, to: 6 }, steps: [{ point: one.point }, ...TOLD.slice(3)] },
    ],
    [
      "from where nobody saw the session stand",
      { ...WHOLE, begun: { from: 0, to: 6 }, steps: [{}, ...TOLD.slice(4)].map(shown) },
    ],
    [
      "after a point, and what was missed without the value before",
      {
        ...WHOLE,
        after: one.point,
        begun: { from: 4, to: 4 },
        steps: [
          { point: one.point },
          tells(both, { x: { version: 1 }, y: { version: 1 } }),
          ...TOLD.slice(4),
        ],
      },
    ],
    [
      "after nowhere, in another life",
      { ...WHOLE, after: NOWHERE, begun: { from: 7, to: 7 }, steps: [TOLD[0], ...TOLD.slice(6)] },
    ],
    ["over a lost connection", { ...withStep(4, tells(dropped, { x: { version: 2 } })), wasCut: true }],
    [
      "of one variable, with bookmarks of what is left out",
      {
        ...WHOLE,
        wants: onlyX,
        steps: [
          TOLD[0],
          altered(TOLD[1], { changes: [] }),
          TOLD[2],
          altered(TOLD[3], { changes: TOLD[3].event.changes.filter(({ name }) => onlyX(name)) }),
          ...TOLD.slice(4, 7),
          { point: last.point },
        ],
      },
    ],
    ["with signs of life", withSteps(TOLD[0], TOLD[0], TOLD[1], { point: created.point }, ...TOLD.slice(2))],
    ["as a client shows it", withSteps(...TOLD.map(shown))],
    [
      "as a command prints it, without points",
      withSteps({}, ...TOLD.slice(1).map(({ point: _, ...step }) => shown(step))),
    ],
    [
      "of a commit that fits into a message without what was before",
      {
        ...withSteps(
          TOLD[0],
          TOLD[1],
          tells(longTruth[1] as Made),
          tells(long, { x: { version: 1, type: "string" }, y: { version: 1, type: "integer" } }),
        ),
      },
      longTruth,
    ],
    [
      "of a bridge in memory that comes again",
      withSteps(...TOLD.slice(0, 5), ...end.slice(1)),
      [...TRUTH.slice(0, 4), "gone", ...TRUTH.slice(5)],
    ],
  ])("%s", (_, reading, truth = TRUTH) => {
    checkReading(truth, reading);
  });
});

describe("what is wrong is found by the one that it concerns:", () => {
  const late = { ...WHOLE, begun: { from: 5, to: 5 } };

  test.each<[(typeof VALIDATORS)[number], string, Reading]>([
    [ordered, "two events change places", withSteps(...TOLD.slice(0, 2), TOLD[3], TOLD[2], ...TOLD.slice(4))],
    [unique, "one comes again", withStep(3, TOLD[2])],
    [reliable, "one is left out", withSteps(...TOLD.slice(0, 3), ...TOLD.slice(4))],
    [
      reliable,
      "one comes that never was",
      withSteps(...TOLD, tells(made(2, 3, "changed", { y: side(2, 8) }))),
    ],
    [reliable, "it is of another life", withStep(7, altered(TOLD[7], { commit: pointOf(3, 2) }))],
    [
      atomic,
      "half of it is told",
      withStep(3, altered(TOLD[3], { changes: TOLD[3].event.changes.slice(1) })),
    ],
    [
      atomic,
      "another value is told",
      withStep(2, altered(TOLD[2], { changes: changed("x", undefined, side(1, 9)) })),
    ],
    [
      atomic,
      "no value is told",
      withStep(2, altered(TOLD[2], { changes: changed("x", undefined, { version: 1, type: "integer" }) })),
    ],
    [
      atomic,
      "another type is told",
      withStep(2, altered(TOLD[2], { changes: changed("x", undefined, side(1, 1, "float")) })),
    ],
    [atomic, "another source is told", withStep(2, altered(TOLD[2], { source: "other" }))],
    [atomic, "other metadata is told", withStep(2, altered(TOLD[2], { metadata: new Map() }))],
    [
      resumable,
      "it goes on too late",
      { ...late, after: one.point, steps: [{ point: one.point }, ...TOLD.slice(4)] },
    ],
    [
      resumable,
      "it goes on too early",
      { ...late, after: one.point, steps: [{ point: one.point }, ...TOLD.slice(2)] },
    ],
    [
      resumable,
      "it goes on from elsewhere",
      { ...late, after: one.point, steps: [{ point: both.point }, ...TOLD.slice(3)] },
    ],
    [bookmarkable, "there is no point at first", withSteps(...TOLD.slice(1))],
    [bookmarkable, "the first point is another", withStep(0, { point: one.point })],
    [bookmarkable, "the point stays behind", withStep(3, { ...TOLD[3], point: one.point })],
    [bookmarkable, "the point outlives the session", withStep(5, { ...TOLD[5], point: deleted.point })],
    [
      bookmarkable,
      "a point passes over what was asked for",
      withSteps(...TOLD.slice(0, 3), { point: both.point }),
    ],
    [bookmarkable, "a point is none of the session", withSteps(...TOLD, { point: pointOf(3, 3) })],
    [bookmarkable, "a point goes back", withSteps(...TOLD, { point: again.point })],
    [previousValue, "another value is told", withStep(4, tells(dropped, { x: side(2, 1) }))],
    [
      previousValue,
      "no value is told of what was not missed",
      withStep(4, tells(dropped, { x: { version: 2 } })),
    ],
    [previousValue, "nothing is told", withStep(4, tells(dropped))],
    [
      previousValue,
      "another version is told of what was missed",
      { ...withStep(4, tells(dropped, { x: { version: 1 } })), wasCut: true },
    ],
    [previousValue, "a value of another life is told", withStep(7, tells(last, { y: side(2, 1) }))],
    [creation, "a session is born without a word", withStep(6, altered(TOLD[6], { kind: "changed" }))],
    [creation, "it is born twice", withStep(3, altered(TOLD[3], { kind: "created" }))],
    [creation, "it is born with a past", withStep(1, tells(created, { y: side(1, 0) }))],
    [filtered, "what nobody asked for is told", { ...WHOLE, wants: onlyX }],
    [
      filtered,
      "nothing is told as an event",
      {
        ...withSteps(TOLD[0], altered(TOLD[1], { changes: [] }), altered(TOLD[7], { changes: [] })),
        wants: onlyX,
      },
    ],
  ])("$name: %s", (validator, _, reading) => {
    expect(() => validator(TRUTH, reading)).toThrow();
    expect(() => checkReading(TRUTH, reading)).toThrow();
  });

  test("there are nine", () => {
    expect(new Set(VALIDATORS).size).toBe(9);
  });
});
