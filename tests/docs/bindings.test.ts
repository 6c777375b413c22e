/** What docs/bindings.md says is what the code does. */
import { afterEach, expect, test } from "vitest";
import { endAll } from "../e2e/processes.js";
import { type Snippet, snippetsOf } from "./pages.js";
import { outputsOf, printed } from "./programs.js";

const page = "docs/bindings.md";

afterEach(endAll);

test("the page on bindings has programs that print what it says", async () => {
  const snippets = snippetsOf(page);
  const said = outputsOf(page);
  expect(snippets.map(({ kind }) => kind)).toEqual(["typescript", "python", "typescript", "python"]);
  expect(said).toHaveLength(snippets.length);
  for (const [i, output] of said.entries()) expect(await printed(snippets[i] as Snippet)).toBe(output);
});
