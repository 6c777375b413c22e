import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { writeOwnFile } from "./written-file.js";

const MARK = "# Made by a test";

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-written-"));
  path = join(folder, "out.py");
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

test("a file is written, and written again, and nothing is left beside it", async () => {
  await writeOwnFile(path, `${MARK}\nfirst\n`, MARK);
  await writeOwnFile(path, `${MARK}\né\n`, MARK);
  expect(readFileSync(path, "utf8")).toBe(`${MARK}\né\n`);
  expect(readdirSync(folder)).toEqual(["out.py"]);
});

test("a file of somebody else's stays as it is", async () => {
  writeFileSync(path, "mine");
  await expect(writeOwnFile(path, MARK, MARK)).rejects.toThrow(
    `${path} is there already, and not by this command: choose another name, or remove it first`,
  );
  expect(readFileSync(path, "utf8")).toBe("mine");
});

test("a link stays one", async () => {
  const target = join(folder, "target.py");
  writeFileSync(target, MARK);
  symlinkSync("target.py", path);
  await writeOwnFile(path, `${MARK}\nnew\n`, MARK);
  expect(readFileSync(target, "utf8")).toBe(`${MARK}\nnew\n`);
  expect(lstatSync(path).isSymbolicLink()).toBe(true);
  expect(readdirSync(folder).sort()).toEqual(["out.py", "target.py"]);
});

test("an empty file is somebody else's too", async () => {
  writeFileSync(path, "");
  await expect(writeOwnFile(path, MARK, MARK)).rejects.toThrow("is there already");
});

test("what cannot be written says why, and leaves nothing", async () => {
  const absent = join(folder, "absent", "out.py");
  await expect(writeOwnFile(absent, MARK, MARK)).rejects.toThrow(
    `${absent} cannot be written: no such file or directory`,
  );
  mkdirSync(path);
  await expect(writeOwnFile(path, MARK, MARK)).rejects.toThrow(
    `${path} cannot be written: illegal operation on a directory`,
  );
  expect(readdirSync(folder)).toEqual(["out.py"]);
});
