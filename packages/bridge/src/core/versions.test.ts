/** Which versions work together, and what is said of two that do not. */
import { describe, expect, test } from "vitest";
import { generationOf, npmInstall, type Party, pipInstall, versionMismatch } from "./versions.js";

const client = (version: string): Party => ({ name: "the client in Python", version, install: pipInstall });
const bridge = (version: string): Party => ({ name: "the bridge", version, install: npmInstall });

describe("a generation", () => {
  test.each([
    ["0.1.0", "0.1"],
    ["0.1.27", "0.1"],
    ["0.12.0", "0.12"],
    ["1.0.0", "1"],
    ["12.3.4", "12"],
    ["0.2.0-beta.1", "0.2"],
    ["0.2.0.dev3+local", "0.2"],
  ])("of %s is %s", (version, generation) => {
    expect(generationOf(version)).toBe(generation);
  });

  test.each(["", "1", "1.2", "v1.2.3", "1.2.3 ", "1.2.x", "a.b.c", "1.2.3\n", `${"9".repeat(99)}.0.0`])(
    "has none: %j",
    (text) => {
      expect(generationOf(text)).toBeUndefined();
    },
  );
});

describe("two versions", () => {
  test.each([
    ["0.1.0", "0.1.0"],
    ["0.1.0", "0.1.9"],
    ["1.0.0", "1.9.2"],
    ["2.0.0-rc.1", "2.0.0"],
  ])("[DOOR-9 accepts] work together: %s and %s", (one, other) => {
    expect(versionMismatch(client(one), bridge(other))).toBeUndefined();
    expect(versionMismatch(client(other), bridge(one))).toBeUndefined();
  });

  test.each([
    ["0.1.0", "0.2.0"],
    ["0.1.0", "1.1.0"],
    ["1.0.0", "2.0.0"],
    ["1.0.0", "no version"],
    ["no version", "no version"],
  ])("[DOOR-9 refuses] do not: %s and %s", (one, other) => {
    const text = versionMismatch(client(one), bridge(other));
    expect(text).toContain(`the client in Python is version ${one} and the bridge is version ${other}`);
  });

  test("that do not are told with the command for each side", () => {
    expect(versionMismatch(client("0.2.3"), bridge("1.4.0"))).toBe(
      "the client in Python is version 0.2.3 and the bridge is version 1.4.0, which do not work together: " +
        '`pip install "snakepit-bridge==1.*"` changes the client in Python, or ' +
        "`npm install snakepit-bridge@0.2` changes the bridge",
    );
  });

  test("of which one comes from elsewhere are told without a command for that one", () => {
    const other: Party = { name: "the client", version: "3.0.0", install: undefined };
    expect(versionMismatch(other, bridge("0.1.0"))).toMatch(
      /: `npm install snakepit-bridge@3` changes the bridge$/,
    );
    expect(versionMismatch(other, { ...other, version: "4.0.0" })).toMatch(
      /: use the same version on both sides$/,
    );
  });
});
