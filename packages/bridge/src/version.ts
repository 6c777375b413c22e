/** The version of this package, out of its package.json: beside `src` in the repository, beside `dist` once installed. */
import { readFileSync } from "node:fs";

const manifest = new URL("../package.json", import.meta.url);

export const VERSION: string = JSON.parse(readFileSync(manifest, "utf8")).version;
