/** What docs/python-types.md tells readers to type is typed here, and does what it says. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, float } from "../../packages/bridge/src/client/index.js";
import { endAll, python, root, run, TestProcess } from "../e2e/processes.js";
import { prose, readPage, snippetsOf } from "./pages.js";

const page = "docs/python-types.md";
const snippets = snippetsOf(page);
const [definitions, command, host, blocking, withAsyncio, refused, conflict] = snippets.map(
  ({ text }) => text,
);

let folder: string;
let address: string;

beforeAll(() => {
  // A program outside the repository, with both packages installed beside it.
  folder = mkdtempSync(join(tmpdir(), "snakepit-python-types-"));
  for (const name of ["node_modules", ".venv"]) symlinkSync(join(root, name), join(folder, name), "junction");
  write("variables.mjs", definitions);
  write("host.mts", `${host?.replace("50051", "0")}console.log(bridge.address);\n`);
});

afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true });
});

function write(name: string, text: string | undefined): string {
  writeFileSync(join(folder, name), text?.replaceAll("127.0.0.1:50051", address) ?? "");
  return name;
}

const runPython = (name: string) => run(python, [name], {}, folder);
const said = (text = "") =>
  [...text.matchAll(/print\(.*\) {2}# (.*)$/gm)].map(([, line]) => `${line}\n`).join("");

describe("the page on types for Python", () => {
  test("marks what is run", () => {
    const kinds = ["definitions", "console", "host", "python", "python", "refused", "conflict"];
    expect(snippets.map(({ kind }) => kind)).toEqual(kinds);
  });

  test("has a command that writes the module", async () => {
    const [, line = "", printed = ""] = /^\$ npx (.*)\n(.*\n)$/.exec(command ?? "") ?? [];
    const env = { PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}` };
    const { code, stdout, stderr } = await run("sh", ["-c", line], env, folder);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: printed, stderr: "" });
  });

  test("has a host, and workers that print what they say", async () => {
    const server = new TestProcess(
      process.execPath,
      ["--import", import.meta.resolve("tsx"), "host.mts"],
      {},
      folder,
    );
    expect(await server.line()).toBe("ready");
    address = await server.line();
    for (const text of [blocking, withAsyncio]) {
      const ran = await runPython(write("work.py", text));
      expect(ran).toMatchObject({ code: 0, stdout: said(text), stderr: "" });
    }
    expect(said(blocking)).not.toBe("");
  });

  test("quotes what a session says that is not what it was", async () => {
    const client = connect(address);
    const session = await client.session("run-42", { temperature: float(0.7, { min: 0, max: 1 }) });
    await client.sessions.deleteVariable(session.id, "phase");
    await client.close();
    const { code, stderr } = await runPython(write("work.py", blocking));
    expect(code).toBe(1);
    expect(stderr.trimEnd().split("\n").at(-1)).toBe(
      `snakepit_bridge._errors.DefinitionConflictError: ${conflict?.trim()}`,
    );
  });

  test.each([
    ["mypy", [python, "-m", "mypy", "--strict", "--no-incremental"]],
    ["pyright", [process.execPath, join(root, "node_modules", "pyright", "index.js"), "--project"]],
  ])("shows lines that %s refuses, each of them", async (name, [program = "", ...args]) => {
    const head = "from params import Params, SyncSession\n\n\ndef refused(session: SyncSession) -> None:\n";
    const lines = (refused ?? "").trimEnd().split("\n");
    write("refused.py", head + lines.map((line) => `    ${line}\n`).join(""));
    const config = { include: ["refused.py"], typeCheckingMode: "strict", venvPath: ".", venv: ".venv" };
    write("pyrightconfig.json", JSON.stringify({ ...config, extraPaths: [join(root, "python", "src")] }));
    const env = { MYPYPATH: join(root, "python", "src") };
    const target = name === "mypy" ? "refused.py" : "pyrightconfig.json";
    const { stdout } = await run(program, [...args, target], env, folder);
    const faulty = [...stdout.matchAll(/refused\.py:(\d+)(?::\d+)?(?: -|:) error/g)].map(([, line]) =>
      Number(line),
    );
    expect([...new Set(faulty)]).toEqual(lines.map((_, i) => i + 5));
  });

  test("names every reserved word that is none of Python's", () => {
    const [, words = ""] =
      /const IN_CLASS = "(.*)";/.exec(readPage("packages/bridge/src/cli/python/names.ts")) ?? [];
    const named = words.split(" ").filter((word) => prose(page).includes(`\`${word}\``));
    expect(named).toEqual(words.split(" "));
    expect(named.length).toBeGreaterThan(5);
  });
});
