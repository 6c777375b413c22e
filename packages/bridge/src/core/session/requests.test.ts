import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { RequestId } from "../commands.js";
import { RequestLog } from "./requests.js";

const A = "a".repeat(32);
const B = "b".repeat(32);

/** Records writes of a client as revisions that rise from the first sequence. */
function write(log: RequestLog, clientId: string, first: number, count: number, revision = first): void {
  for (let i = 0; i < count; i++) log.record({ clientId, sequence: first + i }, revision + i);
}

describe("the memory of writes", () => {
  test("finds what it has recorded, and nothing else", () => {
    const log = new RequestLog();
    log.record({ clientId: A, sequence: 5 }, 17);
    expect(log.find({ clientId: A, sequence: 5 })).toBe(17);
    expect(log.find({ clientId: A, sequence: 4 })).toBe("new");
    expect(log.find({ clientId: A, sequence: 6 })).toBe("new");
    expect(log.find({ clientId: B, sequence: 5 })).toBe("new");
  });

  test("keeps exactly the last 1,000 writes, of all clients together", () => {
    const log = new RequestLog();
    write(log, A, 1, 1);
    write(log, B, 1, 999);
    expect(log.find({ clientId: A, sequence: 1 })).toBe(1);
    write(log, B, 1_000, 1);
    expect(log.find({ clientId: A, sequence: 1 })).toBe("forgotten");
    expect(log.find({ clientId: B, sequence: 1 })).toBe(1);
    write(log, B, 1_001, 1);
    expect(log.find({ clientId: B, sequence: 1 })).toBe("forgotten");
    expect(log.find({ clientId: B, sequence: 2 })).toBe(2);
  });

  test("cannot tell about anything at or below what a client was forgotten, even what it never sent", () => {
    const log = new RequestLog();
    log.record({ clientId: A, sequence: 7 }, 1);
    write(log, B, 1, 1_000);
    expect([1, 6, 7].map((sequence) => log.find({ clientId: A, sequence }))).toEqual([
      "forgotten",
      "forgotten",
      "forgotten",
    ]);
    expect(log.find({ clientId: A, sequence: 8 })).toBe("new");
  });

  test("knows a write below the mark that came later and is remembered", () => {
    const log = new RequestLog();
    log.record({ clientId: A, sequence: 9 }, 1);
    write(log, B, 1, 500);
    log.record({ clientId: A, sequence: 3 }, 600);
    write(log, B, 501, 500);
    expect(log.find({ clientId: A, sequence: 9 })).toBe("forgotten");
    expect(log.find({ clientId: A, sequence: 4 })).toBe("forgotten");
    expect(log.find({ clientId: A, sequence: 3 })).toBe(600);
  });

  test("a copy is equal and goes its own way", () => {
    const log = new RequestLog();
    write(log, A, 1, 1_500);
    const copy = RequestLog.from(log.contents());
    log.record({ clientId: B, sequence: 1 }, 2_000);
    expect(copy.find({ clientId: B, sequence: 1 })).toBe("new");
    copy.record({ clientId: B, sequence: 2 }, 2_000);
    expect(log.find({ clientId: B, sequence: 2 })).toBe("new");
    for (const sequence of [1, 500, 501, 502, 1_500, 1_501]) {
      expect(copy.find({ clientId: A, sequence })).toBe(log.find({ clientId: A, sequence }));
    }
  });

  test("of a thousand clients with one write each knows them all", () => {
    const log = new RequestLog();
    for (let i = 0; i < 1_000; i++) log.record({ clientId: String(i).padStart(32, "0"), sequence: 3 }, i + 1);
    for (let i = 0; i < 1_000; i++)
      expect(log.find({ clientId: String(i).padStart(32, "0"), sequence: 3 })).toBe(i + 1);
  });

  test("does not take a forgotten write for a new one while up to 9,999 other clients write", () => {
    const log = new RequestLog();
    log.record({ clientId: A, sequence: 1 }, 1);
    for (let i = 0; i < 9_999; i++)
      log.record({ clientId: i.toString(16).padStart(32, "0"), sequence: 1 }, i + 2);
    expect(log.find({ clientId: A, sequence: 1 })).toBe("forgotten");
  });

  test("is what a list of all writes says it is", () => {
    const request = fc.record({
      client: fc.constantFrom(A, B, "c".repeat(32)),
      sequence: fc.integer({ min: 1, max: 30 }),
    });
    const steps = fc.array(
      fc.oneof({ weight: 20, arbitrary: request }, { weight: 1, arbitrary: fc.constant("many" as const) }),
      { maxLength: 80 },
    );
    fc.assert(
      fc.property(steps, (given) => {
        const log = new RequestLog();
        const all: { id: RequestId; revision: number }[] = [];
        const record = (id: RequestId): void => {
          all.push({ id, revision: all.length + 1 });
          log.record(id, all.length);
        };
        const expected = (id: RequestId): number | "new" | "forgotten" => {
          const same = (one: RequestId): boolean =>
            one.clientId === id.clientId && one.sequence === id.sequence;
          const kept = all.slice(-1_000).find((one) => same(one.id));
          if (kept !== undefined) return kept.revision;
          const gone = all.slice(0, -1_000).filter((one) => one.id.clientId === id.clientId);
          return gone.some((one) => one.id.sequence >= id.sequence) ? "forgotten" : "new";
        };
        let many = 1_000;
        for (const step of given) {
          if (step === "many")
            for (let i = 0; i < 400; i++) record({ clientId: "d".repeat(32), sequence: ++many });
          else {
            const id = { clientId: step.client, sequence: step.sequence };
            expect(log.find(id)).toBe(expected(id));
            if (log.find(id) === "new") record(id);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
