/** Programs of this machine. */
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Where a program is that PATH leads to; undefined if there is none. */
export function pathOf(program: string): string | undefined {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.map((folder) => join(folder, program)).find((path) => existsSync(path));
}
