import { expect, test } from "vitest";
import type { Case } from "./case.js";
import { measureRounds } from "./rounds.js";

function caseThatTells(subject: string, told: string[]): Case {
  return {
    work: "work",
    callers: 1,
    subject,
    async measure(milliseconds) {
      told.push(`${subject}${milliseconds}`);
      return { calls: told.length, seconds: 1, p50Us: 1, p99Us: 1 };
    },
  };
}

test("every case is measured once a round, every other round backwards, and the warm-up is not kept", async () => {
  const told: string[] = [];
  const cases = ["a", "b"].map((subject) => caseThatTells(subject, told));
  const options = { rounds: 2, milliseconds: 20, warmUpRounds: 1, warmUpMilliseconds: 10 };
  const samples = await measureRounds(cases, options);
  expect(told).toEqual(["a10", "b10", "b20", "a20", "a20", "b20"]);
  expect(samples.map((of) => of.map(({ calls }) => calls))).toEqual([
    [4, 5],
    [3, 6],
  ]);
});

test("a case that is measured once is so in the first round after the warm-up", async () => {
  const told: string[] = [];
  const cases = [{ ...caseThatTells("a", told), once: true }, caseThatTells("b", told)];
  const samples = await measureRounds(cases, {
    rounds: 2,
    milliseconds: 1,
    warmUpRounds: 1,
    warmUpMilliseconds: 9,
  });
  expect(told).toEqual(["b9", "b1", "a1", "b1"]);
  expect(samples.map(({ length }) => length)).toEqual([1, 2]);
});

test("a costly case is measured in every third round, three times as long", async () => {
  const told: string[] = [];
  const cases = [{ ...caseThatTells("a", told), costly: true }, caseThatTells("b", told)];
  const samples = await measureRounds(cases, {
    rounds: 4,
    milliseconds: 1,
    warmUpRounds: 1,
    warmUpMilliseconds: 9,
  });
  expect(told).toEqual(["a9", "b9", "b1", "a3", "b1", "b1", "a3", "b1"]);
  expect(samples.map(({ length }) => length)).toEqual([2, 4]);
});
