/** A bridge for tests is the real one, in memory, and its time is the test's. */
import { expect, test } from "vitest";
import { ConstraintError, connect, defineVariables, float, SessionNotFoundError } from "../client/index.js";
import { ManualClock, startTestBridge } from "./index.js";

const variables = defineVariables({ temperature: float(0.7, { max: 2 }) });

test("its sessions obey the rules, in this process and over a connection", async () => {
  await using bridge = await startTestBridge();
  const session = await bridge.session("s", variables);
  await expect(session.set("temperature", 3)).rejects.toThrow(ConstraintError);
  await using client = connect(bridge.address);
  expect(await (await client.session("s", variables)).get("temperature")).toBe(0.7);
  expect(bridge.options.store).toBe("memory");
});

test("a session expires when the clock says so, and not before", async () => {
  const clock = new ManualClock();
  await using bridge = await startTestBridge({ clock });
  const session = await bridge.session("s", variables, { ttlMs: 60_000, cache: "off" });
  clock.advance(59_999);
  expect(await session.get("temperature")).toBe(0.7);
  clock.advance(60_000);
  await expect(session.get("temperature")).rejects.toThrow(SessionNotFoundError);
});

test("two of them share nothing, and each is gone when it is closed", async () => {
  const one = await startTestBridge();
  await using other = await startTestBridge({ limits: { maxItems: 1 }, defaultTtlMs: 5 });
  await one.session("s", variables);
  expect(await other.sessions.sessionExists("s")).toBe(false);
  expect(other.options.limits.maxItems).toBe(1);
  await one.close();
  await expect(one.session("s")).rejects.toThrow();
});
