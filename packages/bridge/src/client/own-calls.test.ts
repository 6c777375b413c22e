/** What a client's own watches tell those who answer reads of a session from what is here. */
import { expect, test } from "vitest";
import { type ErrorReason, errorFor } from "../core/errors.js";
import { witnessWatches } from "../testing/watch-witness.contract.js";
import { Calls } from "./calls.js";
import { OwnCalls } from "./own-calls.js";
import type { Transport, WatchReader } from "./transport/transport.js";

witnessWatches();

test.each<[ErrorReason, number]>([
  ["HISTORY_COMPACTED", 1],
  ["WATCH_GAP", 1],
  ["INVALID_NAME", 0],
])("a watch that %s ends puts what is out of touch in doubt: %i [ORD-1 accepts]", async (reason, doubts) => {
  let told: WatchReader | undefined;
  const transport = {
    watch: (_: unknown, reader: WatchReader) => {
      told = reader;
      return () => {};
    },
  };
  const ownCalls = new OwnCalls();
  const calls = new Calls(transport as unknown as Transport, () => ({ clientId: "", sequence: 1 }), ownCalls);
  let doubted = 0;
  ownCalls.listen("s", { answered: () => {}, doubted: () => doubted++, outdated: () => {} });
  const watch = calls.watch("s", {}, {}, (event) => event);
  told?.ended(errorFor(reason, "it is over"));
  await expect(watch.next()).rejects.toMatchObject({ reason });
  expect(doubted).toBe(doubts);
});
