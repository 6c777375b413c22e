import { mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { run } from "./run-cli.contract.js";

const folder = mkdtempSync(join(tmpdir(), "snakepit-bridge-"));
afterAll(() => rmSync(folder, { recursive: true }));

describe("a large file is announced before it is worked on", () => {
  const file = join(folder, "large.db");
  writeFileSync(file, "");
  // Takes no room on the disk, and is no database.
  truncateSync(file, 300 * 1_048_576);

  test.each([
    ["checking", ["verify", file]],
    ["copying and checking", ["backup", file, join(folder, "copy.db")]],
    ["opening", ["serve", "--port", "0", "--store", `sqlite:${file}`]],
  ])("%s", async (doing, args) => {
    const { code, stdout, stderr } = await run(...args);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    const [announced, failed] = stderr.split("\n");
    expect(announced).toBe(`${doing} ${file} (0.3 GB); this takes a while`);
    expect(failed).toMatch(/^error: /);
  });
});

test("a small one is not", async () => {
  const file = join(folder, "small.db");
  writeFileSync(file, "nothing of value");
  expect(await run("verify", file)).toMatchObject({ stderr: `error: ${file} is not an SQLite database\n` });
});
