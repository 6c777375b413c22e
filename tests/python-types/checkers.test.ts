/** What `snakepit-bridge types` writes is what mypy and pyright, both strict, make of it. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { definedIn } from "../../packages/bridge/src/cli/defined.js";
import { pythonModule } from "../../packages/bridge/src/cli/python/module.js";
import {
  boolean,
  choice,
  type Definitions,
  float,
  integer,
  json,
  string,
} from "../../packages/bridge/src/client/index.js";
import { checkName } from "../../packages/bridge/src/core/names.js";
import { python, root, run } from "../e2e/processes.js";

const here = join(root, "tests", "python-types");
const golden = readFileSync(join(here, "params.py"), "utf8");
const programs = ["good.py", "wrong.py", "blocking.py", "with_asyncio.py"];

/** Sets that make other code than the golden one: no overloads, nothing to count, one name, very long ones. */
const others: Readonly<Record<string, Definitions>> = {
  one_type: { a: string("") },
  nothing_to_count: { on: boolean(true), plan: json(null) },
  one_choice: { kind: choice(["only"], "only") },
  long_names: {
    [`a ${"long ".repeat(50)}name`]: string(""),
    [`b ${"long ".repeat(50)}name`]: choice(["c".repeat(300), "d"], "d"),
  },
  names_of_python: Object.fromEntries(
    [
      "int",
      "str",
      "float",
      "bool",
      "Value",
      "self",
      "cls",
      "Params",
      "Literal",
      "Name",
      "field",
      "mro",
      "type",
    ].map((name) => [name, json(null)]),
  ),
};

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-python-types-"));
  for (const file of ["params.py", ...programs]) copyFileSync(join(here, file), join(folder, file));
  for (const [name, definitions] of Object.entries(others)) {
    writeFileSync(join(folder, `${name}.py`), pythonModule(definedIn(definitions), "a test"));
  }
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What is easily written wrong. */
const PIECES = [
  ..."abAB09_.- \"'\\",
  "\n",
  "\t",
  "\0",
  "\u007f",
  "\u2028",
  "\u200b",
  "\u202e",
  "\u0301",
  ..."é温ﬁ²ßŉ·😀",
  '"""',
  "class",
];

/** Where faults are: `wrong.py:12`, each place once. */
type Places = readonly string[];

const modules = ["params.py", ...Object.keys(others).map((name) => `${name}.py`)];

function refused(): Places {
  return programs.flatMap((file) =>
    readFileSync(join(here, file), "utf8")
      .split("\n")
      .flatMap((line, i) => (line.endsWith("# refused") ? [`${file}:${i + 1}`] : [])),
  );
}

test("the module for the variables of this folder is the one that stands beside them", async () => {
  const bin = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");
  const { stdout, stderr } = await run(process.execPath, [
    bin,
    "types",
    join(here, "variables.mjs"),
    "--python",
    "-",
  ]);
  expect(stderr).toBe("");
  expect(stdout).toBe(golden);
});

describe("type checkers refuse what is wrong, and nothing else", () => {
  test("there is something to refuse", () => {
    expect(refused().length).toBeGreaterThan(30);
  });

  test("mypy --strict", async () => {
    const args = [
      "-m",
      "mypy",
      "--strict",
      "--python-version",
      "3.10",
      "--output",
      "json",
      "--cache-dir",
      "cache",
    ];
    const env = { MYPYPATH: join(root, "python", "src") };
    const { stdout, stderr } = await run(python, [...args, ...programs, ...modules], env, folder);
    expect(stderr).toBe("");
    expect(placesOf(stdout.split("\n").flatMap(mypyFault))).toEqual(refused());
  });

  test("pyright, strict", async () => {
    const config = {
      include: [...programs, ...modules],
      typeCheckingMode: "strict",
      pythonVersion: "3.10",
      venvPath: root,
      venv: ".venv",
      extraPaths: [join(root, "python", "src")],
    };
    writeFileSync(join(folder, "pyrightconfig.json"), JSON.stringify(config));
    const pyright = join(root, "node_modules", "pyright", "index.js");
    const { stdout } = await run(process.execPath, [pyright, "--project", folder, "--outputjson"]);
    const { generalDiagnostics, summary } = JSON.parse(stdout) as PyrightReport;
    expect(summary.filesAnalyzed).toBe(programs.length + modules.length);
    const faults = generalDiagnostics.map(({ file, range }) => ({ file, line: range.start.line + 1 }));
    expect(placesOf(faults)).toEqual(refused());
  });
});

test("every module can be imported, and a formatter leaves it as it is", async () => {
  const names = modules.map((file) => file.replace(".py", ""));
  const program = `import ${names.join(", ")}\nprint(params.Params.__definitions__ is params.DEFINITIONS)`;
  const ran = await run(python, ["-W", "error", "-c", program], {}, folder);
  expect(ran).toMatchObject({ code: 0, stdout: "True\n", stderr: "" });
  const ruff = join(dirname(python), "ruff");
  for (const args of [["format", "--check"], ["check"]]) {
    expect(await run(ruff, [...args, "--isolated", "--no-cache", ...modules], {}, folder)).toMatchObject({
      code: 0,
    });
  }
});

test("what stands in a module is what was defined, whatever the names, texts and numbers", async () => {
  const sets = fc.sample(anyDefinitions, { numRuns: 200, seed: 1 });
  const written = sets.flatMap((definitions) => {
    const defined = definedIn(definitions);
    const module = moduleOf(defined);
    return module === undefined ? [] : [{ module, names: defined.map(({ name }) => name) }];
  });
  // Some names would be called the same.
  expect(written.length).toBeGreaterThan(100);
  const program = `
import dataclasses, json, sys
from snakepit_bridge._definitions import fingerprint
for each in json.load(open(sys.argv[1], encoding="utf-8")):
    scope = {"__name__": "generated"}
    sys.modules["generated"] = type(sys)("generated")
    exec(each["module"], scope)
    definitions, params = scope["DEFINITIONS"], scope["Params"]
    assert list(definitions.variables) == each["names"]
    assert fingerprint(definitions.variables) == definitions.fingerprint, each["module"]
    assert len(dataclasses.fields(params)) == len(each["names"])
print("done")`;
  const file = join(folder, "modules.json");
  writeFileSync(file, JSON.stringify(written));
  expect(await run(python, ["-c", program, file])).toMatchObject({ code: 0, stdout: "done\n", stderr: "" });
});

/** Undefined if two of them would be called the same. */
function moduleOf(defined: ReturnType<typeof definedIn>): string | undefined {
  try {
    return pythonModule(defined, "a test");
  } catch (error) {
    expect(String(error)).toContain("would both be called");
    return undefined;
  }
}

const text = fc.string({ unit: fc.constantFrom(...PIECES), minLength: 1, maxLength: 12 });
const anyDefinition: fc.Arbitrary<Definitions[string]> = fc.oneof(
  fc
    .tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }), text)
    .map(([a, b, description]) => float(0, { min: Math.min(a, b), max: Math.max(a, b) }, { description })),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((min) => integer(0n, { min })),
  fc
    .uniqueArray(text, { minLength: 1, maxLength: 12 })
    .map((choices) => choice(choices, choices[0] as string)),
  text.map((description) => json(null, { description })),
);
const anyDefinitions: fc.Arbitrary<Definitions> = fc.dictionary(
  text.filter((name) => checkName(name) === undefined),
  anyDefinition,
  { minKeys: 1, maxKeys: 4 },
);

interface Fault {
  readonly file: string;
  readonly line: number;
}

interface PyrightReport {
  readonly summary: { readonly filesAnalyzed: number };
  readonly generalDiagnostics: readonly {
    readonly file: string;
    readonly range: { readonly start: { readonly line: number } };
  }[];
}

function mypyFault(text: string): Fault[] {
  if (text === "") return [];
  const { file, line, severity } = JSON.parse(text) as Fault & { readonly severity: string };
  return severity === "error" ? [{ file, line }] : [];
}

function placesOf(faults: readonly Fault[]): Places {
  const sorted = [...faults].sort((a, b) => a.line - b.line);
  return [...new Set(sorted.map(({ file, line }) => `${file.split(/[/\\]/).at(-1)}:${line}`))];
}
