/** Live reads of both languages on real sockets; `npm run torture:live` plays many more. */
import { expect, test } from "vitest";
import { witnessWatches } from "../witness.js";
import { playOnSockets } from "./sockets.js";

witnessWatches();

test("nothing that is promised is broken when connections break", { timeout: 120_000 }, async () => {
  const seed = Date.now() % 2 ** 31;
  const report = await playOnSockets({ seed, histories: 6, python: ["aio", "sync"] });
  expect(report.faults, `seed ${seed}`).toEqual([]);
  expect(report.cuts).toBeGreaterThan(20);
  for (const source of ["replica", "server", "replica (python)", "server (python)"])
    expect(report.bySource.get(source), source).toBeGreaterThan(0);
});
