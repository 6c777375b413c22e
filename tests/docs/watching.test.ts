/** What docs/watching.md says is what the code does. */
import { afterEach, describe, expect, test } from "vitest";
import { endAll } from "../e2e/processes.js";
import { readPage, type Snippet, snippetsOf, tableOf } from "./pages.js";
import { outputsOf, printed } from "./programs.js";

const page = "docs/watching.md";

afterEach(endAll);

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
    const said = outputsOf(page);
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
