/** What programs get that import `snakepit-bridge` and `snakepit-bridge/client`, and what they get along with it. */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import * as everything from "../index.js";
import * as client from "./index.js";

const SOURCE = fileURLToPath(new URL("..", import.meta.url));

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
  expect(Object.keys(client).filter((name) => name.endsWith("Error"))).toHaveLength(17);
});

test("the package has the client and the bridge", () => {
  expect(Object.keys(everything)).toEqual(expect.arrayContaining([...Object.keys(client), "startBridge"]));
});

test("the client brings nothing of the server along", () => {
  const { files, packages } = loadedBy("client/index.ts");
  expect([...packages].filter((name) => !name.startsWith("@bufbuild/protobuf"))).toEqual(["@grpc/grpc-js"]);
  const rooms = new Set([...files].map((file) => file.split("/")[0]));
  expect([...rooms].sort()).toEqual(["client", "core", "wire"]);
});

/** All that is loaded with a file of `src`: files of `src`, and packages. Imports of types load nothing. */
function loadedBy(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    const file = relative(SOURCE, path);
    if (files.has(file)) return;
    files.add(file);
    const imports = /^(?:import|export)\s+(?:([^"';=]*?)\s+from\s+)?"([^"]+)";/gm;
    for (const [, clause = "", name = ""] of readFileSync(path, "utf8").matchAll(imports)) {
      if (clause.startsWith("type ")) continue;
      if (name.startsWith(".")) visit(resolve(dirname(path), name.replace(/\.js$/, ".ts")));
      else packages.add(name);
    }
  };
  visit(resolve(SOURCE, entry));
  return { files, packages };
}
