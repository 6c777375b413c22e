/** What a program gets along with a door of the package. */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SOURCE = fileURLToPath(new URL("..", import.meta.url));

/** All that is loaded with a file of `src`: files of `src`, and packages. Imports of types load nothing. */
export function loadedBy(entry: string): { files: Set<string>; packages: Set<string> } {
  const files = new Set<string>();
  const packages = new Set<string>();
  const visit = (path: string): void => {
    const file = relative(SOURCE, path);
    if (files.has(file)) return;
    files.add(file);
    const imports = /^(?:import|export)\s+(?:([^"';=]*?)\s+from\s+)?"([^"]+)";/gm;
    for (const [, clause = "", name = ""] of readFileSync(path, "utf8").matchAll(imports)) {
      if (clause.startsWith("type ")) continue;
      if (name.startsWith(".")) visit(resolve(dirname(path), name.replace(/\.js$/, ".ts")));
      else packages.add(name);
    }
  };
  visit(resolve(SOURCE, entry));
  return { files, packages };
}
