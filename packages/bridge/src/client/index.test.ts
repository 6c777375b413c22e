/** What programs get that import `snakepit-bridge` and `snakepit-bridge/client`, and what they get along with it. */
import { expect, test } from "vitest";
import * as everything from "../index.js";
import { loadedBy } from "../testing/loaded-by.contract.js";
import * as client from "./index.js";

test("the client has what a program that connects needs", () => {
  expect(Object.keys(client).filter((name) => !name.endsWith("Error"))).toEqual(
    expect.arrayContaining([
      "SessionStore",
      "boolean",
      "choice",
      "connect",
      "defineVariables",
      "float",
      "integer",
      "json",
      "string",
    ]),
  );
  expect(Object.keys(client).filter((name) => name.endsWith("Error"))).toHaveLength(20);
});

test("the package has the client and the bridge", () => {
  expect(Object.keys(everything)).toEqual(expect.arrayContaining([...Object.keys(client), "startBridge"]));
});

test("the client brings nothing of the server along", () => {
  const { files, packages } = loadedBy("client/index.ts");
  const others = [...packages].filter((name) => !name.startsWith("@bufbuild/protobuf"));
  expect(others.sort()).toEqual(["@grpc/grpc-js", "node:async_hooks", "node:diagnostics_channel"]);
  const rooms = new Set([...files].map((file) => file.split("/")[0]));
  expect([...rooms].sort()).toEqual(["client", "core", "version.ts", "wire"]);
});
