// Finds the tests that open a watch which nobody holds against what was committed.
import { posix } from "node:path";
import { stripTypeScript, typescriptImports } from "./imports.mjs";

const opens = /\.(?:watch|onChange)\(|\bnew (?:RawWatch|SessionWatch)\(/;
const holds = /\b(?:witnessWatches|checkReading)\(/;

/** The paths of these tests. `files`: the text of all tests and of what they share, by path; imports of others are passed over. */
export function unwitnessed(files) {
  const cache = new Map();
  const isUnheld = (path) => {
    if (!cache.has(path)) {
      cache.set(path, false);
      const text = files.get(path);
      const code = stripTypeScript(text, "");
      const shared = () => typescriptImports(text).map(({ name }) => resolve(path, name));
      const isOne = opens.test(code) || shared().some((other) => files.has(other) && isUnheld(other));
      cache.set(path, isOne && !holds.test(code));
    }
    return cache.get(path);
  };
  return [...files.keys()].filter((path) => path.endsWith(".test.ts") && isUnheld(path));
}

function resolve(from, name) {
  return posix.join(posix.dirname(from), name).replace(/\.js$/, ".ts");
}
