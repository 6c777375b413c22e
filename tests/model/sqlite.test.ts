/**
 * The engine on an SQLite file against the model, with restarts and crashes between and amid the commands. `npm run
 * torture:model` is the same for longer; a failure prints the command that replays it.
 */
import { test } from "vitest";
import { check, TIMEOUT_MS } from "./check.js";
import { HAS_TO_BE_SEEN_ON_FILES } from "./coverage.js";
import { ON_FILES, sqliteEngine } from "./sqlite-engine.js";

test("the engine on a file does what the model says, through restarts and crashes", {
  timeout: TIMEOUT_MS,
}, async () => {
  await check("sqlite.test.ts", { ...ON_FILES, makeEngine: sqliteEngine() }, HAS_TO_BE_SEEN_ON_FILES);
});
