import { beforeEach, describe, expect, test } from "vitest";
import { ManualClock } from "../testing/manual-clock.js";
import { Liveness } from "./liveness.js";

let clock: ManualClock;
let silences: number;
let liveness: Liveness;

beforeEach(() => {
  clock = new ManualClock();
  silences = 0;
  liveness = new Liveness(clock, () => silences++);
});

describe("a worker that has promised a sign every second", () => {
  test("is silent after two seconds without one, and that is told once", () => {
    liveness.expect(1_000);
    clock.advance(1_999);
    expect(silences).toBe(0);
    clock.advance(1);
    expect(silences).toBe(1);
    clock.advance(100_000);
    expect(silences).toBe(1);
  });

  test("is not while it gives signs in time", () => {
    liveness.expect(1_000);
    for (let i = 0; i < 500; i++) {
      // The longest time between two signs: one was due just before it would have been sent again.
      clock.advance(1_249);
      liveness.heard();
    }
    expect(silences).toBe(0);
    clock.advance(2_000);
    expect(silences).toBe(1);
  });

  test("is not taken for silent by the first look after a time in which nobody looked", () => {
    liveness.expect(1_000);
    clock.advance(1_249);
    // This process stands still. When it runs again, its timer fires, and only then it reads what was sent meanwhile.
    clock.advance(500);
    liveness.heard();
    clock.advance(1_000);
    expect(silences).toBe(0);
  });

  test("may promise another time, or none", () => {
    liveness.expect(1_000);
    liveness.expect(10_000);
    clock.advance(19_999);
    expect(silences).toBe(0);
    liveness.expect(undefined);
    clock.advance(1_000_000);
    expect(silences).toBe(0);
  });

  test("is not watched any more after stop", () => {
    liveness.expect(1_000);
    liveness.stop();
    clock.advance(1_000_000);
    expect(silences).toBe(0);
  });
});

test("a worker that has promised nothing is never silent", () => {
  clock.advance(1_000_000);
  liveness.expect(undefined);
  clock.advance(1_000_000);
  expect(silences).toBe(0);
});
