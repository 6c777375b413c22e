/** What docs/watching.md says is what the code does. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { startBridge } from "../../packages/bridge/src/server.js";
import { endAll, python, root, run } from "../e2e/processes.js";
import { readPage, type Snippet, snippetsOf, tableOf } from "./pages.js";

const page = "docs/watching.md";

afterEach(endAll);

/** What a program prints that stands in a snippet. */
async function printed({ kind, text }: Snippet): Promise<string> {
  return kind === "python" ? printedByPython(text) : printedByNode(text);
}

async function printedByPython(program: string): Promise<string> {
  const bridge = await startBridge({ port: 0, logger: "silent" });
  try {
    const { code, stdout, stderr } = await run(python, ["-X", "dev", "-c", program], {
      SNAKEPIT_BRIDGE_ADDRESS: bridge.address,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  } finally {
    await bridge.close();
  }
}

async function printedByNode(program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "snakepit-watching-"));
  try {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "program.mts"), program);
    const args = ["--import", import.meta.resolve("tsx"), "program.mts"];
    const { code, stdout, stderr } = await run(process.execPath, args, {}, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The names of the fields of an interface. */
function fieldsOf(name: string): string[] {
  const source = readPage("packages/bridge/src/client/event-views.ts");
  const body = source.split(new RegExp(`export interface ${name}\\b[^{]*\\{`))[1]?.split("\n}\n")[0] ?? "";
  return [...body.matchAll(/^ {2}readonly (\w+):/gm)].map(([, field]) => field as string);
}

/** The public fields and properties of a class. */
function fieldsInPython(name: string): string[] {
  const source = readPage("python/src/snakepit_bridge/_events.py");
  const body = source.split(`class ${name}:`)[1]?.split(/^\S/m)[0] ?? "";
  return [...body.matchAll(/^ {4}(?:def )?([a-z]\w*)(?:: .*|\(self\).*:)$/gm)].map(
    ([, field]) => field as string,
  );
}

const cells = (heading: string, column = 0): string[] =>
  tableOf(page, heading).map((row) => (row[column] ?? "").replaceAll("`", ""));

describe("the page on watching", () => {
  const snippets = snippetsOf(page);

  test("has programs that print what it says", async () => {
    expect(snippets.map(({ kind }) => kind)).toEqual(Array(4).fill(["typescript", "python"]).flat());
    const said = [...readPage(page).matchAll(/It prints\n\n```\n(.*?)```/gs)].map(([, text]) => text);
    expect(said).toHaveLength(2);
    for (const [i, output] of said.entries()) expect(await printed(snippets[i] as Snippet)).toBe(output);
    for (const program of snippets.slice(said.length)) {
      const printing = /(?:console\.log|print)\(.*\);? {1,2}?(?:\/\/|#) (.*)/g;
      const wanted = [...program.text.matchAll(printing)].map(([, line]) => `${line}\n`);
      expect(wanted).not.toEqual([]);
      expect(await printed(program)).toBe(wanted.join(""));
    }
  });

  test("names every field, and no other", () => {
    expect(cells("field")).toEqual(fieldsOf("SessionEventView"));
    expect(cells("of a change")).toEqual(fieldsOf("ChangeView"));
    expect(cells("field", 1)).toEqual(fieldsInPython("SessionEvent"));
    expect(cells("of a change", 1).sort()).toEqual(fieldsInPython("VariableChange").sort());
  });
});
