/** The Python package in an environment of its own: what is in it, and that it works there. */
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { VERSION } from "../../packages/bridge/src/version.js";
import { python as development, root, run } from "../e2e/processes.js";

const { packed, app, python } = inject("packages");

/** What a program in the environment prints. */
async function printed(program: string): Promise<string> {
  const { code, stdout, stderr } = await run(python, ["-c", program], {}, app);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

describe("the wheel", () => {
  test("has every module with the types, the licence, and no test", async () => {
    const program = `
import json, zipfile
print(json.dumps(sorted(zipfile.ZipFile(${JSON.stringify(packed.wheel)}).namelist())))`;
    const files = JSON.parse(await printed(program)) as string[];
    const listed = await run("git", ["ls-files", "--cached", "--others", "--exclude-standard", "python/src"]);
    const sources = listed.stdout
      .trim()
      .split("\n")
      .map((path) => path.replace("python/src/", ""));
    const info = `snakepit_bridge-${VERSION}.dist-info/`;
    expect(files.filter((file) => !file.startsWith(info))).toEqual(sources.sort());
    expect(files).toContain(`${info}licenses/LICENSE`);
    console.log(
      `the wheel: ${files.length} files, ${Math.round(statSync(packed.wheel).size / 1_024)} KiB packed`,
    );
    const licences = ["LICENSE", "python/LICENSE"].map((path) => readFileSync(join(root, path), "utf8"));
    expect(licences[0]).toBe(licences[1]);
  });

  test("says what it is", async () => {
    const program = `
import json
from importlib.metadata import metadata
found = metadata("snakepit-bridge")
print(json.dumps({key: found.get_all(key) for key in set(found)}))`;
    expect(JSON.parse(await printed(program))).toMatchObject({
      Name: ["snakepit-bridge"],
      Version: [VERSION],
      Summary: [expect.stringContaining("Typed variables")],
      "License-Expression": ["MIT"],
      "License-File": ["LICENSE"],
      "Requires-Python": [">=3.10"],
      "Requires-Dist": expect.arrayContaining(["grpcio>=1.51.1", "protobuf>=4.21.6"]),
      "Description-Content-Type": ["text/markdown"],
      Classifier: expect.arrayContaining(["Typing :: Typed"]),
    });
  });

  test("is imported from where it was installed, and needs nothing that is not there", async () => {
    const where = await printed(
      "import snakepit_bridge; print(snakepit_bridge.__version__, snakepit_bridge.__file__)",
    );
    expect(where).toContain(`${VERSION} ${join(app, ".venv")}`);
    const check = await run(python, ["-m", "pip", "--disable-pip-version-check", "check"], {}, app);
    expect(check).toMatchObject({ code: 0, stdout: "No broken requirements found.\n" });
  });

  test("has the types that mypy sees", async () => {
    const text = `
from snakepit_bridge import SessionContext
from snakepit_bridge.sync import SessionContext as Blocking
from snakepit_bridge.testing import FakeSession

async def read(session: SessionContext) -> int:
    return (await session.set_variable("x", 1)).version

def fake() -> SessionContext:
    return FakeSession()

reveal_type(Blocking("s").read)
wrong: int = Blocking("s").session_id
`;
    writeFileSync(join(app, "typed.py"), text);
    const options = ["--strict", "--no-incremental", "--python-executable", python, "typed.py"];
    const { stdout } = await run(
      development,
      ["-m", "mypy", ...options],
      { MYPY_CACHE_DIR: "/dev/null" },
      app,
    );
    expect(stdout).toMatch(
      /Revealed type is "def \(name: str, \*, after: str \| None =, .*timeout: float \| None =\) -> .*Reading"/,
    );
    expect(stdout).toContain("typed.py:13: error: Incompatible types in assignment");
    expect(stdout).toContain("Found 1 error in 1 file");
  });
});
