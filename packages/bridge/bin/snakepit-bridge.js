#!/usr/bin/env node
// The launcher stands apart from dist/ so that `npm ci` can link it before anything is built.
import { existsSync } from "node:fs";

const main = new URL("../dist/cli/main.js", import.meta.url);

if (existsSync(main)) {
  await import(main.href);
} else {
  console.error("snakepit-bridge is not built yet: run `npm run build` in the repository first.");
  process.exitCode = 1;
}
