/** Every example runs against one shared server and prints exactly what its last comment says. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { endAll, root, runPython, runTypeScript } from "./processes.js";

const typescript = examplesIn("typescript", ".ts");
const python = examplesIn("python", ".py");
let bridge: Bridge;

beforeAll(async () => {
  bridge = await startBridge({ port: 0 });
});
afterAll(async () => {
  await endAll();
  await bridge.close();
});

describe("the examples", () => {
  test("exist in both languages, with the same numbers and names", () => {
    const titles = (names: string[]) => names.map((name) => name.replace(/\.\w+$/, "").replaceAll("_", "-"));
    expect(titles(typescript)).toEqual(titles(python));
    expect(typescript.length).toBeGreaterThanOrEqual(6);
  });

  test.each([...paths("typescript", typescript), ...paths("python", python)])("%s is short", (path) => {
    expect(read(path).trimEnd().split("\n").length).toBeLessThanOrEqual(60);
  });

  // Each in one language after the other, as some have the same session in both.
  test.concurrent.each(typescript.map((name, i) => [name, python[i] as string]))(
    "%s and %s print what they say",
    async (...names) => {
      const [ours, theirs] = [`examples/typescript/${names[0]}`, `examples/python/${names[1]}`];
      expect(await outcome(runTypeScript(ours, [], address()))).toEqual(expected(ours, "//"));
      expect(await outcome(runPython(theirs, [], address()))).toEqual(expected(theirs, "#"));
    },
  );

  test("04 has its observer in one language and its optimiser in the other", async () => {
    const path = "examples/typescript/04-two-programs.ts";
    const lines = expected(path, "//").stdout.split(/(?<=\n)/);
    const ends = await Promise.all([
      outcome(runTypeScript(path, ["observer"], address())),
      outcome(runPython("examples/python/04_two_programs.py", ["optimiser"], address())),
    ]);
    for (const [i, role] of ["observer", "optimiser"].entries()) {
      const stdout = lines.filter((line) => line.startsWith(role)).join("");
      expect(ends[i]).toEqual({ code: 0, stdout, stderr: "" });
    }
  });

  test("can be run again", async () => {
    const [first = ""] = paths("typescript", typescript);
    expect(await outcome(runTypeScript(first, [], address()))).toEqual(expected(first, "//"));
  });

  test.concurrent.each([
    ["typescript", `examples/typescript/${typescript[0]}`, runTypeScript],
    ["python", `examples/python/${python[0]}`, runPython],
  ])("say in one line that no bridge is there: %s", async (_, path, runIt) => {
    const closed = await startBridge({ port: 0 });
    await closed.close();
    const { code, stderr } = await runIt(path, [], { SNAKEPIT_BRIDGE_ADDRESS: closed.address });
    expect(code).toBe(1);
    expect(stderr).toContain("UnavailableError");
    expect(stderr).toContain(closed.address);
  });
});

function examplesIn(folder: string, extension: string): string[] {
  return readdirSync(join(root, "examples", folder))
    .filter((name) => name.endsWith(extension))
    .sort();
}

function paths(folder: string, names: readonly string[]): string[] {
  return names.map((name) => `examples/${folder}/${name}`);
}

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function address(): Record<string, string> {
  return { SNAKEPIT_BRIDGE_ADDRESS: bridge.address };
}

async function outcome(running: ReturnType<typeof runPython>) {
  const { code, stdout, stderr } = await running;
  return { code, stdout, stderr };
}

/** What stands in the comment at the end, after `Prints:`. */
function expected(path: string, comment: string) {
  const [, block = ""] = read(path).split(`${comment} Prints:\n`);
  const stdout = block.replaceAll(new RegExp(`^${comment}   `, "gm"), "");
  expect(stdout, `${path} ends with its output in a comment`).not.toBe("");
  return { code: 0, stdout, stderr: "" };
}
