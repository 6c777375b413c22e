/** What docs/watching.md says is what the code does. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { endAll, root, run } from "../e2e/processes.js";
import { readPage, snippetsOf, tableOf } from "./pages.js";

const page = "docs/watching.md";

afterEach(endAll);

/** What a program prints that stands in a snippet. */
async function printed(program: string): Promise<string> {
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

const cells = (heading: string): string[] =>
  tableOf(page, heading).map(([cell = ""]) => cell.replaceAll("`", ""));

describe("the page on watching", () => {
  const snippets = snippetsOf(page);

  test("has programs that print what it says", async () => {
    expect(snippets).toHaveLength(3);
    const [first, ...others] = snippets.map(({ text }) => text);
    const said = /It prints\n\n```\n(.*?)```/s.exec(readPage(page))?.[1];
    expect(await printed(first as string)).toBe(said);
    for (const program of others) {
      const wanted = [...program.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map(([, line]) => `${line}\n`);
      expect(wanted).not.toEqual([]);
      expect(await printed(program)).toBe(wanted.join(""));
    }
  });

  test("names every field, and no other", () => {
    expect(cells("field")).toEqual(fieldsOf("SessionEventView"));
    expect(cells("of a change")).toEqual(fieldsOf("ChangeView"));
  });
});
