import { describe, expect, test } from "vitest";
import type { Reason } from "../core/refusal.js";
import {
  afterFailure,
  backoffMs,
  conflictPauseMs,
  type Failure,
  MOST_CONFLICTS,
  restMs,
  STATUS,
} from "./outcome.js";

const FAILURE: Failure = {
  isWrite: false,
  attempt: 1,
  timeLeftMs: 5_000,
  status: STATUS.UNAVAILABLE,
  reason: undefined,
  lostBefore: false,
};
const read = (failure: Partial<Failure>) => afterFailure({ ...FAILURE, ...failure }, 0);
const write = (failure: Partial<Failure>) => afterFailure({ ...FAILURE, isWrite: true, ...failure }, 0);

describe("a read", () => {
  test("that the bridge refused fails as refused, whatever the status", () => {
    for (const reason of ["SESSION_NOT_FOUND", "SHUTTING_DOWN", "DEADLINE_EXCEEDED"] as const) {
      expect(read({ reason })).toEqual({ kind: "asAnswered" });
    }
  });

  test("that found no connection is unavailable at once [ORD-16]", () => {
    expect(read({ status: undefined })).toEqual({ kind: "unavailable" });
  });

  test("that waited for a connection until its time was up is out of time", () => {
    expect(read({ status: undefined, timeLeftMs: 0 })).toEqual({ kind: "deadline" });
  });

  test("that ran out of time is out of time [ORD-16 accepts]", () => {
    expect(read({ status: STATUS.DEADLINE_EXCEEDED })).toEqual({ kind: "deadline" });
  });

  test("that lost its connection is tried again after 100 ms, 200 ms, 400 ms, and never after more than 2 s", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 60, 6_000].map((attempt) => read({ attempt }));
    expect(pauses).toEqual(
      [100, 200, 400, 800, 1_600, 2_000, 2_000, 2_000].map((afterMs) => ({ kind: "retry", afterMs })),
    );
  });

  test("that has no time left for the pause is unavailable", () => {
    expect(read({ timeLeftMs: 101 })).toEqual({ kind: "retry", afterMs: 100 });
    expect(read({ timeLeftMs: 100 })).toEqual({ kind: "unavailable" });
  });

  test("that was cancelled by the other side is unavailable", () => {
    expect(read({ status: STATUS.CANCELLED })).toEqual({ kind: "unavailable" });
  });

  test("that met an accident of the transport is tried again, and unavailable when there is no time for that", () => {
    for (const status of [STATUS.INTERNAL, STATUS.UNKNOWN]) {
      expect(read({ status })).toEqual({ kind: "retry", afterMs: 100 });
      expect(read({ status, timeLeftMs: 100 })).toEqual({ kind: "unavailable" });
      expect(read({ status, reason: "INTERNAL" })).toEqual({ kind: "asAnswered" });
    }
  });

  test("that got any other status fails with what the status stands for", () => {
    for (const status of [STATUS.NOT_FOUND, STATUS.UNIMPLEMENTED, STATUS.RESOURCE_EXHAUSTED]) {
      expect(read({ status })).toEqual({ kind: "asAnswered" });
    }
  });
});

describe("a write", () => {
  test("that was never handed over is unavailable, out of time or not [ORD-16 accepts]", () => {
    expect(write({ status: undefined })).toEqual({ kind: "unavailable" });
    expect(write({ status: undefined, timeLeftMs: 0 })).toEqual({ kind: "unavailable" });
  });

  test("that may have been carried out is sent again while there is time, and then unknown [ORD-16 accepts]", () => {
    for (const status of [STATUS.UNAVAILABLE, STATUS.CANCELLED, STATUS.UNKNOWN, STATUS.INTERNAL]) {
      expect(write({ status })).toEqual({ kind: "retry", afterMs: 100 });
      expect(write({ status, timeLeftMs: 50 })).toEqual({ kind: "unknown" });
    }
  });

  test("that ran out of time on the way is unknown; one that the bridge let pass its time is not [ORD-16 refuses]", () => {
    expect(write({ status: STATUS.DEADLINE_EXCEEDED })).toEqual({ kind: "unknown" });
    expect(write({ status: STATUS.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED" })).toEqual({
      kind: "asAnswered",
    });
  });

  test("that the bridge refused fails as refused", () => {
    expect(write({ status: STATUS.FAILED_PRECONDITION, reason: "TYPE_MISMATCH" })).toEqual({
      kind: "asAnswered",
    });
  });

  test("with a status that says by itself that nothing was done fails with what the status stands for", () => {
    for (const status of [STATUS.UNIMPLEMENTED, STATUS.PERMISSION_DENIED, STATUS.RESOURCE_EXHAUSTED]) {
      expect(write({ status })).toEqual({ kind: "asAnswered" });
    }
  });

  describe("that an earlier attempt may have carried out", () => {
    const again = (failure: Partial<Failure>) => write({ lostBefore: true, ...failure });

    test("is settled by a refusal that looked for its request id", () => {
      expect(again({ reason: "VERSION_CONFLICT" })).toEqual({ kind: "asAnswered" });
    });

    test("is not settled by a refusal that did not", () => {
      for (const reason of ["SHUTTING_DOWN", "DEADLINE_EXCEEDED", "INTERNAL"] satisfies Reason[]) {
        expect(again({ reason })).toEqual({ kind: "retry", afterMs: 100 });
        expect(again({ reason, timeLeftMs: 1 })).toEqual({ kind: "unknown" });
      }
    });

    test("waits for a connection while there is time, and is then unknown", () => {
      expect(again({ status: undefined })).toEqual({ kind: "retry", afterMs: 100 });
      expect(again({ status: undefined, timeLeftMs: 0 })).toEqual({ kind: "unknown" });
    });

    test("is not settled by a status that speaks of the later attempt only", () => {
      expect(again({ status: STATUS.PERMISSION_DENIED })).toEqual({ kind: "unknown" });
    });
  });
});

test("jitter shortens a pause by up to half", () => {
  expect(backoffMs(1, 0)).toBe(100);
  expect(backoffMs(1, 0.5)).toBe(75);
  expect(backoffMs(2, 1)).toBe(100);
});

test("what is subscribed to rests for 100 ms, then longer, and never for more than 30 s", () => {
  expect([1, 2, 3, 8, 9, 10, 6_000].map((attempt) => restMs(attempt, 0))).toEqual([
    100, 200, 400, 12_800, 25_600, 30_000, 30_000,
  ]);
  expect(restMs(6_000, 0.5)).toBe(22_500);
});

test("who lost a race waits a little longer each time, and not for ever", () => {
  expect([1, 2, 3].map((attempt) => conflictPauseMs(attempt, 5_000, 0.5))).toEqual([0.5, 1, 2]);
  expect(conflictPauseMs(50, 5_000, 0.5)).toBe(25);
  expect(conflictPauseMs(MOST_CONFLICTS - 1, 5_000, 0.5)).toBe(25);
  expect(conflictPauseMs(MOST_CONFLICTS, 5_000, 0)).toBeUndefined();
  expect(conflictPauseMs(1, 0, 0)).toBeUndefined();
  expect(conflictPauseMs(10, 10, 0.5)).toBeUndefined();
});
