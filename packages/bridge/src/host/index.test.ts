/** What programs get that import `snakepit-bridge/worker`, and what they get along with it. */
import { expect, test } from "vitest";
import { loadedBy } from "../testing/loaded-by.contract.js";
import * as worker from "./index.js";

test("the door has what a program that starts workers needs", () => {
  expect(Object.keys(worker).sort()).toEqual(["WorkerError", "startWorker"]);
});

test("it brings no package along, and nothing of the server", () => {
  const { files, packages } = loadedBy("host/index.ts");
  expect([...packages].filter((name) => !name.startsWith("node:"))).toEqual([]);
  const rooms = new Set([...files].map((file) => file.split("/")[0]));
  expect([...rooms].sort()).toEqual(["client", "core", "host", "version.ts"]);
});
