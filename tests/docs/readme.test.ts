/**
 * What README tells readers to type is typed here, in a project into which the packages were installed as it says. The
 * blocks marked to be run are run in their order against one server, which is started as the first of them says.
 */
import { writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { DEFAULT_LIMITS, LIMIT_SETTINGS } from "../../packages/bridge/src/core/limits.js";
import { endAll, run, TestProcess } from "../e2e/processes.js";
import { Playground } from "../packages/snippets.js";
import { readPage, root, snippetsOf, tableOf } from "./pages.js";

const snippets = snippetsOf("README.md");
const [, serve, ...rest] = snippets;

let playground: Playground;
let address: string;

beforeAll(async () => {
  playground = new Playground();
  const start = `exec ${command(serve?.text.trim() ?? "")} --port 0`;
  const server = new TestProcess("sh", ["-c", start], path(), playground.folder);
  [, address = ""] = await server.until(/ on (127\.0\.0\.1:\d+)/);
});

afterAll(async () => {
  await endAll();
  playground.remove();
});

describe("README", () => {
  test("marks what is run, and the first of it is how to install, then the server", () => {
    expect(snippets.map(({ kind }) => kind)).toEqual([
      "install",
      "serve",
      "typescript",
      "python",
      "typescript",
      "console",
      "console",
    ]);
    expect(serve?.text).toBe("npx snakepit-bridge serve\n");
  });

  test("has no other block in TypeScript or Python", () => {
    const blocks = readPage("README.md").match(/^```(ts|python)$/gm) ?? [];
    expect(blocks.length).toBe(snippets.filter(({ kind }) => /typescript|python/.test(kind)).length);
  });

  test.each(rest.map(({ kind, text }, i) => [`${i + 2} (${kind})`, kind, text] as const))(
    "the block %s does what it says",
    async (_, kind, text) => {
      if (kind === "console") return checkConsole(text);
      await playground.check(kind, text, address);
    },
  );

  test("has two programs of at most 15 lines for the first minute", () => {
    for (const { text } of rest.slice(0, 2))
      expect(text.trimEnd().split("\n").length).toBeLessThanOrEqual(15);
  });

  test("does not compile what it says does not compile", async () => {
    const file = join(playground.folder, "wrong.mts");
    const typed = snippets.find(({ kind }) => kind === "typescript")?.text ?? "";
    const [wrong] = /session\.set\("temperature", "hot"\)/.exec(readPage("README.md")) as RegExpExecArray;
    writeFileSync(file, `${typed}\nawait ${wrong};\n`);
    const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
    const options =
      "--ignoreConfig --noEmit --strict --target es2023 --module nodenext --skipLibCheck --types".split(" ");
    const { code, stdout } = await run(process.execPath, [tsc, ...options, "node", file]);
    expect(stdout).toContain("error TS2345");
    expect(stdout.match(/error/g)?.length).toBe(1);
    expect(code).not.toBe(0);
  });

  test("has the limits of the code", () => {
    const inBytes: Record<string, number> = { "1 MiB": 1_048_576, "4 MiB": 4_194_304, "64 MiB": 67_108_864 };
    const told = tableOf("README.md", "what")
      .filter(([, , setting]) => setting !== "–")
      .map(([, limit = "", setting = ""]) => [
        setting.replaceAll("`", ""),
        inBytes[limit] ?? Number(limit.replaceAll(",", "")),
      ]);
    const ours = Object.entries(LIMIT_SETTINGS).map(([setting, key]) => [setting, DEFAULT_LIMITS[key]]);
    expect(told.sort()).toEqual(ours.sort());
  });

  test("maps directories that exist, and forgets none", async () => {
    const { stdout } = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard"]);
    const folders = new Set(stdout.split("\n").flatMap((file) => /^([a-z]\w*)\//.exec(file)?.[1] ?? []));
    const mapped = tableOf("README.md", "directory").map(
      ([cell = ""]) => /\(([^)]+)\)/.exec(cell)?.[1] ?? "",
    );
    expect([...folders].filter((name) => !mapped.some((path) => path.split("/")[0] === name))).toEqual([]);
  });
});

/** `$ command` lines, each followed by what it prints. */
async function checkConsole(text: string): Promise<void> {
  for (const [, line = "", printed = ""] of text.matchAll(/^\$ (.*)\n((?:(?!\$ ).*\n)*)/gm)) {
    const env = { ...path(), SNAKEPIT_BRIDGE_ADDRESS: address };
    const { stdout, stderr } = await run("sh", ["-c", command(line)], env, playground.folder);
    const output = `${stdout}${stderr}`
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, "2026-01-01T12:00:00.000Z")
      .replace(/\d+ bytes/, "65536 bytes");
    expect(`$ ${line}\n${output}`).toBe(`$ ${line}\n${printed}`);
  }
}

/** What `npx` runs in the project, without asking npm for it. */
function command(line: string): string {
  return line.replace(/^npx /, "");
}

function path(): Record<string, string> {
  return {
    PATH: `${join(inject("packages").app, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}`,
  };
}
