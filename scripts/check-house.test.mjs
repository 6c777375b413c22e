// Each rule is broken once in a small tree of its own, so that a check that silently stopped checking would show.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkHouse } from "./check-house.mjs";

const bridge = "packages/bridge/src";
const python = "python/src/snakepit_bridge";
let folder;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-house-"));
  write("package.json", JSON.stringify({ devDependencies: { vitest: "1" } }));
  const dependencies = { re2js: "1", pino: "1", "@grpc/grpc-js": "1", "@bufbuild/protobuf": "1" };
  write("packages/bridge/package.json", JSON.stringify({ dependencies }));
});

afterEach(() => rmSync(folder, { recursive: true }));

function write(path, text) {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

/** The errors of a tree with these files, without the common start of their paths. */
function check(files, pureModules = {}) {
  for (const [path, text] of Object.entries(files)) {
    write(path.endsWith(".py") ? `${python}/${path}` : `${bridge}/${path}`, text);
  }
  return checkHouse(folder, { pureModules }).errors.map((error) => error.replace(`${bridge}/`, ""));
}

describe("a tree in order", () => {
  it("has no errors", () => {
    const files = {
      "core/value.ts": "export const one = 1;",
      "core/pattern.ts": 'import { RE2JS } from "re2js";\nexport { one } from "./value.js";\nRE2JS;',
      "wire/codec.ts":
        'import { create } from "@bufbuild/protobuf";\nimport { one } from "../core/value.js";',
      "storage/store.ts": "export interface Store {}",
      "engine/engine.ts":
        'import type { Store } from "../storage/store.js";\nimport { join } from "node:path";',
      "doors/grpc.ts": 'import { Server } from "@grpc/grpc-js";\nimport type { Logger } from "pino";',
      "core/value.test.ts":
        'import { it } from "vitest";\nimport { x } from "../storage/store.js";\nnew Date();',
      "server.ts": 'import { Server } from "@grpc/grpc-js";\nimport "./engine/engine.js";',
      "index.ts":
        '// The door.\nexport * from "./server.js";\nexport { one, type Two } from "./core/value.js";',
    };
    expect(check(files)).toEqual([]);
  });

  it("is not misled by comments, strings, templates and regular expressions", () => {
    const text = [
      '// import { x } from "node:fs";',
      "/* setTimeout */",
      'const a = "Date.now() // not a comment";',
      "const b = `new Date()`;",
      "const c = /[\"'`]/.test(a);",
      "clock.setTimeout(1);",
      "const d = (x: Date) => new Date(x);",
      'const e = new Date("2020-01-01");',
    ].join("\n");
    expect(check({ "core/a.ts": text })).toEqual([]);
  });
});

describe("a broken rule is reported:", () => {
  const one = (path, text) =>
    check({ "core/a.ts": "", "wire/a.ts": "", "storage/memory/a.ts": "", "engine/a.ts": "", [path]: text });

  it.each([
    ["core/b.ts", 'import { x } from "../wire/a.js";', "core/ may not import wire/a.ts"],
    ["core/b.ts", 'export type { X } from "../engine/a.js";', "core/ may not import engine/a.ts"],
    ["core/b.ts", 'const x = await import("../wire/a.js");', "core/ may not import wire/a.ts"],
    ["core/b.ts", 'import { RE2JS } from "re2js";', "core/ may not import re2js"],
    ["core/b.ts", 'import { readFile } from "node:fs";', "core/ runs in browsers and may not import node:fs"],
    ["wire/b.ts", 'import "../storage/memory/a.js";', "wire/ may not import storage/memory/a.ts"],
    [
      "engine/b.ts",
      'import {\n  x,\n} from "../storage/memory/a.js";',
      "engine/ may not import storage/memory/a.ts",
    ],
    ["doors/b.ts", 'import { pino } from "pino";', "doors/ may not import pino except its types"],
    ["client/session.ts", 'import { x } from "../wire/a.js";', "client/ may not import wire/a.ts"],
    [
      "client/session.ts",
      'import { x } from "node:net";',
      "client/ runs in browsers and may not import node:net",
    ],
    [
      "client/transport/grpc.ts",
      'import "../../engine/a.js";',
      "client/transport/grpc may not import engine/a.ts",
    ],
    ["cli/main.ts", 'import { x } from "../wire/a.js";', "cli/ may not import wire/a.ts"],
    ["core/b.ts", 'import { x } from "./gone.js";', "imports ./gone.js, which does not exist"],
    [
      "server.ts",
      'import x from "lodash/fp";',
      "imports lodash, which packages/bridge/package.json does not declare",
    ],
    ["core/b.test.ts", 'import x from "lodash";', "imports lodash, which no package.json declares"],
    ["attic/b.ts", 'import "../core/a.js";', "stands in no room: give it one in scripts/house.mjs"],
    ["index.ts", 'export * from "./core/a.js";\nexport const x = 1;', "holds more than re-exports"],
  ])("%s: %s", (path, text, error) => {
    expect(one(path, text)).toEqual([`${path}: ${error}`]);
  });

  it.each([
    "Date.now()",
    "performance.now()",
    "setTimeout(f, 1)",
    "globalThis.setInterval(f, 1)",
    "new Date()",
  ])("%s outside a timekeeper", (word) => {
    const found = one("core/b.ts", `\nconst x = ${word};`);
    expect(found).toEqual([expect.stringMatching(/^core\/b\.ts: line 2 uses .+: take a clock instead/)]);
    expect(one("engine/system-clock.ts", `const x = ${word};`)).toEqual(found);
  });

  it("imports in a circle, also of types", () => {
    const files = { "core/a.ts": 'import "./b.js";', "core/b.ts": 'import type { A } from "./a.js";' };
    expect(check(files)).toEqual([`${bridge}: imports in a circle: core/a.ts → core/b.ts → core/a.ts`]);
  });

  it("a file that is too long; comments and blank lines do not count", () => {
    const long = (count) => "x();\n".repeat(count);
    expect(check({ "core/a.ts": `${long(500)}\n/*\n${"talk\n".repeat(99)}*/` })).toEqual([]);
    expect(check({ "core/a.ts": long(501) })).toEqual([
      "core/a.ts: has 501 lines of code and may have 500: split it by ideas",
    ]);
    expect(check({ "core/a.ts": "", "_a.py": `"""\n${long(600)}"""\n${long(499)}` })).toEqual([]);
    expect(check({ "core/a.ts": "", "_a.py": long(501) })).toHaveLength(1);
  });

  it("a test that opens a watch which nobody witnesses, itself or through what it shares with others", () => {
    const shared = { "client/a.contract.ts": "export const f = (s) => s.onChange([], () => {});" };
    const uses = 'import { f } from "./a.contract.js";\nf();';
    const witnessed = {
      "client/c.test.ts": `witnessWatches();\n${uses}`,
      "client/d.test.ts": '"s.watch()";',
    };
    expect(check({ ...shared, ...witnessed, "client/e.ts": "session.watch();" })).toEqual([]);
    for (const text of [uses, "engine.watch();", 'new RawWatch("a");', "new SessionWatch({});"])
      expect(check({ "client/b.test.ts": text })).toEqual([
        `client/b.test.ts: opens a watch that nobody witnesses: say witnessWatches() first`,
      ]);
    write("tests/a.ts", "checkReading();\nsession.watch();");
    write("tests/a.test.ts", 'import "./a.js";');
    write("tests/b.test.ts", "session.watch();");
    expect(check({ "client/b.test.ts": "" })).toEqual([expect.stringMatching(/^tests\/b\.test\.ts: opens/)]);
  });

  it("Python that is not pure, directly or through another module", () => {
    const pure = { _values: ["grpc", "time"] };
    expect(
      check({ "_values.py": '"""import time"""\nimport struct\nfrom datetime import timezone\n' }, pure),
    ).toEqual([]);
    const faults = check(
      { "_values.py": "import os, grpc.aio\nfrom . import _link\n", "_link.py": "from time import sleep\n" },
      pure,
    );
    expect(faults).toEqual([
      `${python}/_values.py: is pure and may not import grpc.aio`,
      `${python}/_values.py: is pure and may not import time (through _link)`,
    ]);
  });
});
