/** The npm package in an empty project: what is in it, and that it works for everybody who may load it. */
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { build } from "esbuild";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterAll, afterEach, beforeAll, describe, expect, inject, test } from "vitest";
import { endAll, root, run, TestProcess } from "../e2e/processes.js";

const { packed, app, lean } = inject("packages");
const home = join(app, "node_modules", "snakepit-bridge");
const manifest = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as {
  readonly exports: Readonly<Record<string, unknown>>;
  readonly optionalDependencies: Readonly<Record<string, string>>;
};
const entries = Object.keys(manifest.exports)
  .filter((path) => path !== "./package.json")
  .map((path) => path.replace(/^\./, "snakepit-bridge"));
const program = (folder: string): string =>
  join(folder, "node_modules", "snakepit-bridge", "bin", "snakepit-bridge.js");

let bridge: Bridge;

beforeAll(async () => {
  bridge = await startBridge({ port: 0, logger: "silent" });
});
afterEach(endAll);
afterAll(() => bridge.close());

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(folder, name)).isFile())
    .sort();
}

describe("the npm package", () => {
  test("has every compiled source with its maps, the sources, and nothing else", () => {
    const files = filesIn(home);
    const sources = filesIn(join(root, "packages", "bridge", "src"));
    const ours = sources.filter(
      (file) => !/\.(test|test-d|contract)\.ts$/.test(file) && !/__pycache__/.test(file),
    );
    const compiled = ours
      .filter((file) => file.endsWith(".ts"))
      .flatMap((file) =>
        [".js", ".js.map", ".d.ts", ".d.ts.map"].map((ending) => file.replace(/\.ts$/, ending)),
      );
    expect(files).toEqual(
      [
        ...["LICENSE", "README.md", "package.json", "bin/snakepit-bridge.js"],
        ...ours.map((file) => `src/${file}`),
        ...compiled.map((file) => `dist/${file}`),
      ].sort(),
    );
    const size = Math.round(statSync(packed.npm).size / 1_024);
    console.log(`the npm package: ${files.length} files, ${size} KiB packed`);
    expect(readFileSync(join(home, "LICENSE"), "utf8")).toBe(readFileSync(join(root, "LICENSE"), "utf8"));
  });

  test("is what publint has nothing to say about", async () => {
    const tarball = readFileSync(packed.npm);
    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(tarball).buffer },
      level: "suggestion",
      strict: true,
    });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("has types that are right", async () => {
    const checked = await checkPackage(
      createPackageFromTarballData(new Uint8Array(readFileSync(packed.npm))),
    );
    if (checked.types === false) throw new Error("no types were found");
    expect(Object.keys(checked.entrypoints).map((path) => path.replace(/^\./, "snakepit-bridge"))).toEqual(
      expect.arrayContaining(entries),
    );
    // Two that are no faults: the resolution of Node 10, which knows no `exports` and which no Node that we support has;
    // and that CommonJS meets ESM, which these Nodes can require (the next tests do).
    const faults = checked.problems.filter(
      (problem) =>
        !("resolutionKind" in problem && problem.resolutionKind === "node10") &&
        problem.kind !== "CJSResolvesToESM",
    );
    expect(faults).toEqual([]);
  });
});

describe("an empty project", () => {
  test("imports and requires every entry point, and gets the same", async () => {
    const text = `
      const load = async () => {
        for (const entry of ${JSON.stringify(entries)}) {
          const [required, imported] = [require(entry), await import(entry)];
          const names = Object.keys(required);
          console.log(entry, names.length > 0, names.every((name) => required[name] === imported[name]));
        }
      };
      load();`;
    writeFileSync(join(lean, "both.cjs"), text);
    const { stdout, stderr } = await run(process.execPath, ["both.cjs"], {}, lean);
    expect({ stdout, stderr }).toEqual({
      stdout: entries.map((entry) => `${entry} true true\n`).join(""),
      stderr: "",
    });
    expect(entries.length).toBe(6);
  });

  test("bundles the client, and the bundle runs where nothing is installed", async () => {
    writeFileSync(
      join(lean, "client.mjs"),
      `
      import { connect } from "snakepit-bridge/client";
      (async () => {
        const client = connect(process.argv[2]);
        const session = await client.session("bundled");
        console.log((await session.increment("n")).value);
        await client.close();
      })();`,
    );
    const outfile = join(dirname(lean), "bundle.cjs");
    const built = await build({
      entryPoints: [join(lean, "client.mjs")],
      outfile,
      bundle: true,
      minify: true,
      platform: "node",
      format: "cjs",
      logLevel: "silent",
      metafile: true,
    });
    expect(built.warnings).toEqual([]);
    const inside = Object.keys(built.metafile.inputs);
    // Nothing of the server came along.
    expect(
      inside.filter((file) => /snakepit-bridge\/dist\/(engine|storage|doors|server)|pino|sqlite/.test(file)),
    ).toEqual([]);
    console.log(`the bundled client: ${Math.round(statSync(outfile).size / 1_024)} KiB`);
    const { stdout, stderr } = await run(process.execPath, [outfile, bridge.address], {}, dirname(lean));
    expect({ stdout, stderr }).toEqual({ stdout: "1\n", stderr: "" });
  });

  test("bundles the client for pages, without a module of Node's", async () => {
    const built = await build({
      stdin: { contents: 'export * from "snakepit-bridge/web";', resolveDir: lean },
      bundle: true,
      write: false,
      platform: "browser",
      format: "esm",
      logLevel: "silent",
      metafile: true,
    });
    expect(built.warnings).toEqual([]);
    const inside = Object.keys(built.metafile.inputs);
    expect(inside.some((file) => file.endsWith("snakepit-bridge/dist/web.js"))).toBe(true);
    expect(inside.filter((file) => /grpc|pino|sqlite|re2js/.test(file))).toEqual([]);
  });

  describe("without what is optional", () => {
    test("has nothing of it", () => {
      for (const name of Object.keys(manifest.optionalDependencies)) {
        expect(existsSync(join(lean, "node_modules", name))).toBe(false);
        expect(existsSync(join(app, "node_modules", name))).toBe(true);
      }
    });

    test("serves from memory, and its client works", async () => {
      const args = [program(lean), "serve", "--port", "0", "--store", "memory", "--log-level", "warn"];
      const server = new TestProcess(process.execPath, args, {}, lean);
      const [, address = ""] = await server.until(/ on (127\.0\.0\.1:\d+) \(store: memory\)/);
      const set = await run(
        process.execPath,
        [program(lean), "set", "s", "x=1", "--address", address],
        {},
        lean,
      );
      expect(set).toMatchObject({ code: 0, stdout: "x = 1 (float, version 1)\n", stderr: "" });
      expect(await server.end()).toBe(0);
    });

    test("says in one line what SQLite needs", async (context) => {
      const probe = "import('node:sqlite').then(() => console.log('has'), () => console.log('none'))";
      const { stdout } = await run(process.execPath, ["-e", probe]);
      context.skip(stdout === "has\n", "this Node may have an SQLite of its own");
      const { code, stderr } = await run(process.execPath, [program(lean), "serve", "--port", "0"], {}, lean);
      expect(stderr).toMatch(
        /^error: .*there is no SQLite .*: run `npm install @photostructure\/sqlite@1`, or .*\n$/,
      );
      expect(code).toBe(1);
    });

    test("shows the demo all the same", async () => {
      const env = { PATH: "/usr/bin:/bin" };
      const { code, output } = await run(process.execPath, [program(lean), "demo", "--once"], env, lean);
      expect(output).not.toContain("✗");
      expect(output).toMatch(/\n\d+ of \d+ checks passed in \d+\.\d s\.\n$/);
      expect(code).toBe(0);
    });
  });

  test("shows the demo, with the Python package beside it", async () => {
    const { code, output } = await run(process.execPath, [program(app), "demo", "--once"], {}, app);
    expect(output).toMatch(/\n11 of 11 checks passed in \d+\.\d s\.\n$/);
    expect(code).toBe(0);
    expect(readdirSync(app).filter((name) => name.endsWith(".db"))).toEqual([]);
  });
});

describe("a project in TypeScript", () => {
  const text = `
    import { connect, defineVariables, float, startBridge } from "snakepit-bridge";
    import { connect as same } from "snakepit-bridge/client";
    import { startBridge as alike, type Bridge } from "snakepit-bridge/server";
    import { ManualClock, startTestBridge } from "snakepit-bridge/testing";
    import { startWorker, type PythonWorker } from "snakepit-bridge/worker";
    const variables = defineVariables({ temperature: float(0.7) });
    export async function typed(): Promise<number> {
      const session = await connect().session("s", variables);
      // @ts-expect-error: the compiler knows the type
      await session.set("temperature", "hot");
      return session.get("temperature");
    }
    export const all: [Bridge?, PythonWorker?] = [];
    export const values = [same, alike, startBridge, startTestBridge, startWorker, new ManualClock()];
  `;

  // TypeScript and the types of Node are those of the repository; every project brings its own.
  beforeAll(() => {
    const types = join(lean, "node_modules", "@types", "node");
    if (!existsSync(types)) symlinkSync(join(root, "node_modules", "@types", "node"), types, "junction");
    for (const name of ["typed.mts", "typed.cts", "typed.ts"]) writeFileSync(join(lean, name), text);
  });

  test.each([
    ["bundler", "esnext", "typed.ts"],
    ["node16", "node16", "typed.mts"],
    ["nodenext, CommonJS", "nodenext", "typed.cts"],
  ])("has the types, and checks all of them: %s", async (resolution, module, file) => {
    const [moduleResolution = ""] = resolution.split(",");
    const options = [
      ...["--noEmit", "--strict", "--skipLibCheck", "false", "--target", "es2023", "--types", "node"],
      ...["--lib", "es2023,esnext.disposable", "--module", module],
      ...["--moduleResolution", moduleResolution],
      ...["--ignoreConfig", file],
    ];
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const { code, stdout } = await run(process.execPath, [tsc, ...options], {}, lean);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
  });
});
