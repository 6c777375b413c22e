import { expect, test } from "vitest";
import { MemoryStore } from "../storage/memory/memory-store.js";
import { History } from "../testing/commits.contract.js";
import { FaultyStore } from "../testing/faulty-store.contract.js";
import { ManualClock } from "../testing/manual-clock.js";
import { Sessions } from "./sessions.js";

test("a commit that cannot be applied is not kept, and nothing is answered after it", () => {
  const store = new FaultyStore(new MemoryStore());
  const sessions = new Sessions(store, new ManualClock());
  const history = new History("s");
  const session = sessions.commit(undefined, history.last.commit);
  history.set("a", "float", 1);
  const skipping = history.set("a", "float", 2).commit;
  expect(() => sessions.commit(session, skipping)).toThrow("commit 3 does not follow revision 1");
  expect(store.records).toHaveLength(1);
  expect(sessions.failure).toBeInstanceOf(Error);
});
