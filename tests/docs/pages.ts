/** The pages for people, and what tests look for in them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../e2e/processes.js";

export { root };

/** Every page, by its path from the root. */
export const pages: readonly string[] = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name.replaceAll("\\", "/")}`),
  ...[
    "spec/README.md",
    "spec/vectors/README.md",
    "spec/scenarios/README.md",
    "examples/README.md",
    "packages/bridge/README.md",
  ],
  "python/README.md",
];

export function readPage(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A fenced block that is marked to be run: `<!-- run: kind -->` stands before it. */
export interface Snippet {
  readonly kind: string;
  readonly text: string;
}

export function snippetsOf(page: string): Snippet[] {
  return [...readPage(page).matchAll(/<!-- run: ([\w ]+) -->\n+```\w*\n(.*?)^```$/gms)].map(
    ([, kind, text]) => ({
      kind: kind as string,
      text: text as string,
    }),
  );
}

/** The rows of the table whose first column has this heading; the cells are trimmed. */
export function tableOf(page: string, heading: string): string[][] {
  const lines = readPage(page).split("\n");
  const start = lines.findIndex((line) => line.startsWith(`| ${heading} `));
  const rows: string[][] = [];
  for (const line of start < 0 ? [] : lines.slice(start + 2)) {
    if (!line.startsWith("|")) break;
    rows.push(
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  }
  return rows;
}

/** The text without fenced blocks, in which links and paths mean nothing. */
export function prose(page: string): string {
  return readPage(page).replaceAll(/^```.*?^```$/gms, "");
}

export function isThere(path: string): boolean {
  return existsSync(join(root, path));
}
