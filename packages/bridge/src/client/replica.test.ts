/** What the vectors of `spec/vectors/client/replica.json` leave: every order of what can overtake, and when readers look again. */
import { expect, test } from "vitest";
import type { Revision } from "../core/commands.js";
import type { StateUpdate } from "../core/state-update.js";
import { Replica } from "./replica.js";

const incarnation = "a".repeat(32);
const at = (number: number): Revision => ({ incarnation, number, check: BigInt(number) });
const entry = (version: number) =>
  ({ name: "t", id: "var_t_1", version, type: "float", value: version / 10 }) as const;
const whole = (number: number): StateUpdate => ({
  revision: at(number),
  changed: [entry(number)],
  deleted: [],
  more: false,
});
const step = (number: number): StateUpdate => ({ ...whole(number), base: at(number - 1) });

type Happens = (replica: Replica) => void;
const pushed =
  (update: StateUpdate): Happens =>
  (replica) => {
    // A subscription that is of no use is begun again, and tells all.
    if (replica.take(update, 0) === "gap") replica.take(whole(update.revision.number), 0);
  };
const answered =
  (number: number): Happens =>
  (replica) =>
    replica.answered(at(number));
const lost: Happens = (replica) => {
  replica.lost("cut");
  replica.asking();
};

/** All orders of several courses that each keep their own. */
function* orders<T>(...courses: readonly (readonly T[])[]): Generator<readonly T[]> {
  if (courses.every(({ length }) => length === 0)) yield [];
  for (const [i, [first, ...rest]] of courses.entries()) {
    if (first === undefined) continue;
    for (const order of orders(...courses.with(i, rest))) yield [first, ...order];
  }
}

/** Whatever comes first: what is read without a mark is what was so at the revision, and nothing that was answered is later. */
function holds(replica: Replica, answers: readonly number[]): void {
  const { revision } = replica;
  if (replica.access(0, 0) !== "current") return;
  expect(replica.find("t")?.version).toBe(revision?.number);
  expect(revision?.number).toBeGreaterThanOrEqual(Math.max(0, ...answers));
}

test.each<[string, readonly (readonly (Happens | number)[])[]]>([
  ["an answer that is overtaken by what was written after it", [[3], [pushed(step(4)), pushed(step(5))]]],
  [
    "answers to own writes before or after they are told",
    [
      [4, 5],
      [pushed(step(4)), pushed(step(5))],
    ],
  ],
  ["a copy that is lost while a read is under way", [[3], [lost, pushed(step(4))], [5], [pushed(whole(5))]]],
  ["a whole session while reads are under way", [[4], [pushed(whole(4)), pushed(step(5))], [3, 5]]],
])("%s, in every order", (_, courses) => {
  let count = 0;
  for (const order of orders(...courses)) {
    count++;
    const replica = new Replica();
    replica.take(whole(3), 0);
    const answers: number[] = [];
    for (const what of order) {
      if (typeof what === "function") what(replica);
      else {
        answers.push(what);
        answered(what)(replica);
      }
      holds(replica, answers);
    }
    // All has come that was written.
    const last = Math.max(...answers, replica.revision?.number ?? 0);
    replica.take(whole(last), 0);
    expect(replica.isCurrent).toBe(true);
    holds(replica, answers);
  }
  expect(count).toBeGreaterThan(2);
});

test("its generation changes when a reader may see something else, and only then", () => {
  const replica = new Replica();
  const changes = (what: Happens): number => {
    const before = replica.generation;
    what(replica);
    return replica.generation - before;
  };
  expect(changes(pushed(whole(3)))).toBe(1);
  expect(changes(pushed({ ...step(3), base: at(3), changed: [] }))).toBe(0);
  expect(changes(pushed(step(4)))).toBe(1);
  expect(changes((it) => it.take({ ...step(5), more: true }, 0))).toBe(0);
  expect(changes(pushed(step(5)))).toBe(1);
  expect(changes(answered(5))).toBe(0);
  expect(changes(answered(6))).toBe(1);
  expect(changes(answered(7))).toBe(0);
  expect(changes(pushed(step(6)))).toBe(1);
  expect(changes(pushed(step(7)))).toBe(1);
  expect(changes(lost)).toBe(1);
  expect(changes(lost)).toBe(0);
  expect(changes(pushed({ ...step(7), base: at(7), changed: [] }))).toBe(1);
  expect(changes((it) => it.forget("no more"))).toBe(1);
});
