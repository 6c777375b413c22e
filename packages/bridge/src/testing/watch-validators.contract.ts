/**
 * What every watch keeps, whatever happens: all commits that were made, held against all that a reader was told. Each check is
 * one of the promises of a watch and looks from outside. What is compared is neutral, so that a reader of the engine, of the
 * wire, of a client and of the command line are held against the same (`watch-forms.contract.ts`).
 */
import { isDeepStrictEqual } from "node:util";
import { expect } from "vitest";

/** A variable on one side of a change. */
export interface Side {
  readonly version: number;
  readonly type?: string | undefined;
  /** As a client shows it. Absent: it was not told. */
  readonly value?: unknown;
}

/** What a commit is, whoever tells of it. */
interface CommitParts {
  readonly sessionId: string;
  readonly revision: number;
  readonly kind: "changed" | "created" | "deleted" | "expired";
  readonly source: string;
  readonly wallTimeMs: number;
  readonly metadata: ReadonlyMap<string, string>;
}

/** A commit, as it was made. */
export interface Made extends CommitParts {
  /** The commit as a point, in the form of `points.ts`. */
  readonly point: string;
  /** The values of all that it changed. */
  readonly changes: readonly { readonly name: string; readonly after: Side | undefined }[];
}

/** All that happened to one session, in order. `gone`: its life ended without a commit, as a bridge in memory ends. */
export type Truth = readonly (Made | "gone")[];

/** A commit, as a reader was told it. */
export interface Told extends CommitParts {
  /** The commit as a point; absent where the reader is not told it. */
  readonly commit?: string;
  readonly changes: readonly {
    readonly name: string;
    readonly before: Side | undefined;
    readonly after: Side | undefined;
  }[];
}

/** What takes a reader on: an event, or a bookmark if there is none. */
export interface Step {
  readonly event?: Told;
  /** Where the reader stands after it; absent if that was not looked at. */
  readonly point?: string;
}

/** What a reader was told in one watch. */
export interface Reading {
  /** The point that it was begun after; absent: where the session stood. */
  readonly after?: string;
  /** How much of the truth had happened when it was asked for, and when it was known to stand. */
  readonly begun: { readonly from: number; readonly to: number };
  /** What it was told. The first step says where it begins. */
  readonly steps: readonly Step[];
  readonly wants: (name: string) => boolean;
  /** True: it was lost or too slow now and then, so that it was told some commits later. */
  readonly wasCut: boolean;
  /** The longest message, in bytes: of a commit that does not fit, values need not be told. */
  readonly maxBytes: number;
}

/** The point of a session that does not exist. */
export const NOWHERE = `-0-${"0".repeat(16)}`;

/** What was told first happened first. */
export function ordered(truth: Truth, reading: Reading): void {
  const told = pairs(truth, reading).map(({ life, event }) => [life, event.revision]);
  expectSame(
    told,
    [...told].sort(([life = 0, number = 0], [l = 0, n = 0]) => life - l || number - n),
  );
}

/** Nothing is told twice. */
export function unique(truth: Truth, reading: Reading): void {
  const told = pairs(truth, reading).map(({ life, event }) => `${life} ${event.revision}`);
  expectSame(told, [...new Set(told)]);
}

/** Nothing is left out: what was told is how all that was asked for begins. */
export function reliable(truth: Truth, reading: Reading): void {
  const events = eventsOf(reading);
  const all = expected(truth, reading).slice(0, events.length);
  expectSame(
    events.map(({ kind, revision, commit }) => ({ kind, revision, commit })),
    all.map(({ made: { kind, revision, point } }, i) => ({
      kind,
      revision,
      commit: events[i]?.commit && point,
    })),
  );
}

/** A commit is told whole. */
export function atomic(truth: Truth, reading: Reading): void {
  const all = pairs(truth, reading);
  expectSame(
    all.map(({ event }) => whole(event, event.changes)),
    all.map(({ made, event }) => {
      const changes = made.changes.filter(({ name }) => reading.wants(name));
      const mayLack = (): boolean => bytesOf(changes.map(({ after }) => after)) > reading.maxBytes;
      return whole(
        made,
        changes.map(({ name, after }, i) => ({
          name,
          after: like(event, event.changes[i]?.after, after, mayLack),
        })),
      );
    }),
  );
}

/** A watch that goes on from a point is told the very next thing after it. */
export function resumable(truth: Truth, reading: Reading): void {
  const [first, ...rest] = reading.steps;
  if (reading.after === undefined || first === undefined) return;
  expect(first.event).toBeUndefined();
  expect([reading.after, undefined]).toContain(first.point);
  const next = rest.find(({ event }) => event !== undefined)?.event;
  if (next === undefined) return;
  const made = expected(truth, reading)[0]?.made;
  expect([next.revision, next.kind]).toEqual([made?.revision, made?.kind]);
}

/** There is a point from the beginning on, and it moves with what is told and with what is left out. */
export function bookmarkable(truth: Truth, reading: Reading): void {
  const [first, ...rest] = reading.steps;
  if (first === undefined) return;
  expect(first.event).toBeUndefined();
  let place = beginning(truth, reading);
  if (first.point !== undefined) expect(first.point).toBe(reading.after ?? standing(truth, place));
  const places = pairs(truth, reading).values();
  const told = [];
  const stood = [];
  for (const { event, point } of rest) {
    const from = place;
    place = event === undefined ? placeOf(truth, point, from) : (places.next().value?.place ?? from) + 1;
    // Nothing that was asked for was left out up to a bookmark.
    const leftOut = event === undefined && truth.slice(from, place).some((each) => isWanted(each, reading));
    told.push({ point, leftOut });
    stood.push({ point: point && standing(truth, place), leftOut: false });
  }
  expectSame(told, stood);
}

/** What was before is told: always the version, and the value unless the commit was missed. */
export function previousValue(truth: Truth, reading: Reading): void {
  const variables = new Map<string, Side>();
  let folded = 0;
  const told: unknown[] = [];
  const stood: unknown[] = [];
  for (const { place, made, event } of pairs(truth, reading)) {
    for (; folded < place; folded++) fold(variables, truth[folded]);
    if (made.kind === "created") variables.clear();
    const isLong = (): boolean => {
      const sides = made.changes.flatMap(({ name, after }) => [variables.get(name), after]);
      return bytesOf(sides) > reading.maxBytes;
    };
    for (const { name, before } of event.changes) {
      const former = variables.get(name);
      // A client shows a variable as what it is now, and not what was of another type.
      const isOther = isShown(event) && typeIn(made, name) !== former?.type;
      const mayLack = (): boolean => reading.wasCut || place < reading.begun.to || isOther || isLong();
      told.push({ name, before });
      stood.push({ name, before: like(event, before, former, mayLack) });
    }
  }
  expectSame(told, stood);
}

/** A session begins with nothing, at revision 1. */
export function creation(_truth: Truth, reading: Reading): void {
  const events = eventsOf(reading);
  const begins = events.map(({ kind, revision, changes }) => ({
    revision,
    isBeginning: kind === "created",
    former: kind === "created" ? changes.filter(({ before }) => before !== undefined) : [],
  }));
  expectSame(
    begins,
    events.map(({ revision }) => ({ revision, isBeginning: revision === 1, former: [] })),
  );
}

/** What was not asked for is not told. */
export function filtered(_truth: Truth, reading: Reading): void {
  const events = eventsOf(reading);
  const told = events.map(({ revision, kind, changes }) => ({
    revision,
    unasked: changes.filter(({ name }) => !reading.wants(name)),
    isEmpty: kind === "changed" && changes.length === 0,
  }));
  expectSame(
    told,
    events.map(({ revision }) => ({ revision, unasked: [], isEmpty: false })),
  );
}

export const VALIDATORS = [
  ordered,
  unique,
  reliable,
  atomic,
  resumable,
  bookmarkable,
  previousValue,
  creation,
  filtered,
] as const;

/** Holds what was told against what happened, by all nine. */
export function checkReading(truth: Truth, reading: Reading): void {
  for (const validator of VALIDATORS) validator(truth, reading);
}

/** Shows only where they begin to differ, as a reading may be long. */
function expectSame(told: readonly unknown[], wanted: readonly unknown[]): void {
  for (const [place, each] of wanted.entries())
    if (!isDeepStrictEqual(told[place], each)) expect(told[place], `as number ${place}`).toEqual(each);
  expect(told.length).toBe(wanted.length);
}

/** Where a session stood after so much had happened. */
export function standing(truth: Truth, count: number): string {
  const last = truth[count - 1];
  return last === undefined || isOver(last) ? NOWHERE : last.point;
}

function isOver(each: Made | "gone"): each is "gone" | (Made & { kind: "deleted" | "expired" }) {
  return each === "gone" || each.kind === "deleted" || each.kind === "expired";
}

/** A beginning and an end are told to all. */
function isWanted(each: Made | "gone", { wants }: Pick<Reading, "wants">): each is Made {
  return each !== "gone" && (each.kind !== "changed" || each.changes.some(({ name }) => wants(name)));
}

/** The place of what follows a point, looked for from a place on. After nowhere that place itself may be meant. */
function placeOf(truth: Truth, point: string | undefined, from: number): number {
  let place = from;
  while (place < truth.length && standing(truth, place) !== point) place++;
  return place;
}

/** The place of the first commit that a reader may be told. */
function beginning(truth: Truth, reading: Reading): number {
  const { after, begun, steps } = reading;
  if (after === NOWHERE) return birth(truth, begun.from);
  if (after !== undefined) return placeOf(truth, after, 0);
  const start = steps[0]?.point;
  const next = eventsOf(reading)[0];
  const fits = (place: number): boolean => {
    if (start !== undefined) return standing(truth, place) === start;
    const made = truth.slice(place).find((each) => isWanted(each, reading));
    return next === undefined || (made?.revision === next.revision && made.kind === next.kind);
  };
  for (let place = begun.from; place <= Math.min(begun.to, truth.length); place++)
    if (fits(place)) return place;
  return begun.from;
}

/** The place at which the life began that stood after so much had happened. */
function birth(truth: Truth, count: number): number {
  let place = count;
  while (place > 0 && !isOver(truth[place - 1] as Made | "gone")) place--;
  return place;
}

/** A commit that a reader is to be told, its place, and of which life of the session it is. */
interface Turn {
  readonly place: number;
  readonly life: number;
  readonly made: Made;
}

/** The commits that a reader is to be told. */
function expected(truth: Truth, reading: Reading): Turn[] {
  const first = beginning(truth, reading);
  let life = 0;
  return truth.flatMap((made, place) => {
    if (place > 0 && isOver(truth[place - 1] as Made | "gone")) life++;
    return place >= first && isWanted(made, reading) ? [{ place, life, made }] : [];
  });
}

function eventsOf({ steps }: Reading): Told[] {
  return steps.flatMap(({ event }) => event ?? []);
}

/** What was told, each with the commit whose turn it was. */
function pairs(truth: Truth, reading: Reading): (Turn & { readonly event: Told })[] {
  const events = eventsOf(reading);
  const all = expected(truth, reading);
  return all.slice(0, events.length).map((each, i) => ({ ...each, event: events[i] as Told }));
}

function whole(
  { sessionId, source, wallTimeMs, metadata }: CommitParts,
  changes: readonly { readonly name: string; readonly after: Side | undefined }[],
) {
  return {
    sessionId,
    source,
    wallTimeMs,
    metadata,
    changes: changes.map(({ name, after }) => ({ name, after })),
  };
}

/** What a reader is to be told of a side, with no more than it is told of it where it may lack something. */
function like(
  event: Told,
  told: Side | undefined,
  made: Side | undefined,
  mayLack: () => boolean,
): Side | undefined {
  if (told === undefined || made === undefined) return made;
  const { version, type, value } = made;
  if (!("value" in told) && mayLack()) return told.type === undefined ? { version } : { version, type };
  return isShown(event) ? { version, value } : { version, type, value };
}

/** Clients show values without their types, and revisions without the rest of a point. */
function isShown({ commit }: Told): boolean {
  return commit === undefined;
}

function fold(variables: Map<string, Side>, each: Made | "gone" | undefined): void {
  if (each === undefined || each === "gone" || each.kind !== "changed") variables.clear();
  if (each === undefined || each === "gone") return;
  for (const { name, after } of each.changes) {
    if (after === undefined) variables.delete(name);
    else variables.set(name, after);
  }
}

function typeIn({ changes }: Made, name: string): string | undefined {
  return changes.find((change) => change.name === name)?.after?.type;
}

/** About the bytes of a message with these values, rather too many than too few. */
function bytesOf(sides: readonly (Side | undefined)[]): number {
  let bytes = 1_024;
  for (const { value } of sides.filter((side) => side !== undefined))
    bytes += 128 + Buffer.byteLength(typeof value === "object" ? JSON.stringify(value) : String(value));
  return bytes;
}
