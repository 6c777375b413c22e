/** What the pages point to exists: links, files, commands, rules. */
import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { describe, expect, test } from "vitest";
import { isThere, pages, prose, readPage, root } from "./pages.js";

describe("in the pages", () => {
  test.each(pages)("the links of %s lead somewhere", (page) => {
    const links = [...prose(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
    const dead = links.filter((target) => !target.includes("://") && !leads(page, target));
    expect(dead).toEqual([]);
  });

  test.each(pages)("every npm script that %s names exists", (page) => {
    const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object };
    const named = [...readPage(page).matchAll(/npm (?:run ([\w:]+)|(start|test)\b)/g)].map(
      ([, run, direct]) => run ?? direct,
    );
    expect(named.filter((name) => !Object.hasOwn(scripts, name as string))).toEqual([]);
  });

  test.each(pages)("every rule that %s names exists", (page) => {
    const known = new Set([...readPage("spec/README.md").matchAll(/^### (\w+-\d+) /gm)].map(([, id]) => id));
    const named = [...readPage(page).matchAll(/\b(?:ORD|VAL|DOOR)-\d+\b/g)].map(([id]) => id);
    expect(named.filter((id) => !known.has(id))).toEqual([]);
  });

  test.each(["ARCHITECTURE.md", "CONTRIBUTING.md", ...pages.filter((page) => page.startsWith("docs/"))])(
    "every file that %s names exists",
    (page) => {
      const named = [...prose(page).matchAll(/`([\w./@-]+(?:\/|\.(?:ts|py|mjs|md|proto|json|binpb)))`/g)].map(
        ([, path]) => path as string,
      );
      expect(named.filter((path) => !isSomewhere(path))).toEqual([]);
    },
  );

  test("ARCHITECTURE names files at all", () => {
    expect(prose("ARCHITECTURE.md").match(/`[\w./-]+\.(ts|py)`/g)?.length).toBeGreaterThan(25);
  });
});

/** Pages name files from the root, or shorter from the folder of one language's sources. */
function isSomewhere(path: string): boolean {
  const folders = ["", "packages/bridge/src/", "python/src/snakepit_bridge/"];
  return folders.some((folder) => isThere(folder + path));
}

function leads(page: string, target: string): boolean {
  const [path = "", anchor] = target.split("#");
  const file = path === "" ? page : posix.join(dirname(page), path);
  if (!isThere(file)) return false;
  return anchor === undefined || headings(file).includes(anchor);
}

/** Headings as GitHub makes anchors of them. */
function headings(page: string): string[] {
  return [...readPage(page).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    (title as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );
}
