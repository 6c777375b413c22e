/** Who says nothing about a store gets one that keeps what was acknowledged. */
import { readdirSync } from "node:fs";
import { connect } from "snakepit-bridge";
import { afterEach, expect, test } from "vitest";
import { endAll } from "../e2e/processes.js";
import { listening, makeFolder, removeFolders, startProgram } from "./server.js";

afterEach(async () => {
  await endAll();
  removeFolders();
});

test("serve keeps sessions in ./snakepit-bridge.db, and the next one has them", async () => {
  const folder = await makeFolder();
  const serve = () => listening(startProgram(["serve", "--port", "0"], [], folder));
  const first = await serve();
  expect(first.line).toMatch(/ \(store: sqlite:\.\/snakepit-bridge\.db\)$/);
  const client = connect(first.address);
  await (await client.session("s")).set("n", 7);
  await client.close();
  expect(await first.process.end("SIGKILL")).toBe("SIGKILL");
  const second = await serve();
  const again = connect(second.address);
  expect(await (await again.session("s")).read("n")).toMatchObject({ value: 7, version: 1 });
  await again.close();
  expect(await second.process.end()).toBe(0);
  // After an orderly end everything is in the one file; the lock may stay.
  expect(readdirSync(folder).sort()).toEqual(["snakepit-bridge.db", "snakepit-bridge.db-lock"]);
});
