/**
 * A bridge that dies, fails or stands still between any two steps of its store keeps what it answered, shows no half of what it
 * did not, and carries out a retry once. `npm run torture` does the same for every time that each failpoint is passed.
 */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FAILPOINT_VARIABLE, FAILPOINTS } from "../../packages/bridge/src/storage/sqlite/failpoints.js";
import { endAll, TestProcess } from "../e2e/processes.js";
import { ACTIONS, FAILPOINT_NAMES, meet, PASSED_BY_COMMITS } from "./grid.js";
import { type Expected, expectations, SCRIPT } from "./script.js";
import { makeFolder, program, removeFolders } from "./server.js";

let expected: Expected;

beforeAll(async () => {
  expected = await expectations();
});

afterAll(async () => {
  await endAll();
  removeFolders();
});

// Some of these wait most of their time, so they go side by side.
describe.concurrent("[ORD-5 accepts] [ORD-15 accepts] a bridge that meets the failpoint", () => {
  // One that is listed and never passed fails here.
  test.each(FAILPOINT_NAMES)("%s", { timeout: 120_000 }, async (name) => {
    for (const [i, action] of ACTIONS.entries()) {
      const chosen = PASSED_BY_COMMITS.indexOf(name);
      const count = chosen < 0 ? 1 : timeOf(KINDS[chosen * ACTIONS.length + i]!);
      const outcome = await meet({ name, action, count }, expected);
      expect(outcome, `${name}:${action}:${count}`).toEqual({ fired: true, failures: [] });
    }
  });
});

/** Kinds of writes, one for each way to meet a failpoint that all of them pass. */
const KINDS = [
  "an atomic batch",
  "a set",
  "deletion of a session",
  "expiry",
  "an increment",
  "creation of a session",
  "registration",
  "deletion of a variable",
  "a best-effort batch",
  "an inferred session",
  "a big set",
  "a set while it is folded",
];

/** At which time of passing the last commit of a step's kind passes a failpoint. */
function timeOf(what: string): number {
  const step = SCRIPT.findLastIndex((step) => step.what === what);
  return expected.commits[step + 1]!;
}

describe("the variable", () => {
  async function serve(failpoint: string, ...args: string[]): Promise<TestProcess> {
    const store = `sqlite:${join(await makeFolder(), "bridge.db")}`;
    return new TestProcess(process.execPath, [program, "serve", "--port", "0", "--store", store, ...args], {
      [FAILPOINT_VARIABLE]: failpoint,
    });
  }

  test.each(["before-lunch:kill", "before-append:sing", "before-append", "before-append:kill:0", "x:y:z:1"])(
    "as %s ends the start with one line that lists what there is",
    async (failpoint) => {
      const bridge = await serve(failpoint, "--log-level", "warn");
      expect(await bridge.ended).toBe(1);
      expect(bridge.output).toBe(
        `error: ${FAILPOINT_VARIABLE} is "${failpoint}"; it has to be NAME:ACTION[:COUNT], where NAME is one of ` +
          `${Object.keys(FAILPOINTS).join(", ")}; ACTION one of kill, throw, hang; COUNT 1 or more\n`,
      );
    },
  );

  test("that arms one is told of in one line of the log", async () => {
    const bridge = await serve("mid-close:throw:2", "--log-level", "warn");
    await bridge.line();
    expect(await bridge.end()).toBe(0);
    const { level, failpoint } = JSON.parse(bridge.stderr);
    expect({ level, failpoint }).toEqual({ level: 40, failpoint: "mid-close:throw:2" });
  });

  test("that is empty arms nothing", async () => {
    const bridge = await serve("", "--log-level", "warn");
    await bridge.line();
    expect(await bridge.end()).toBe(0);
    expect(bridge.stderr).toBe("");
  });
});
