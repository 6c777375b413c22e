/** Which clients the door lets in. */
import { describe, expect, test } from "vitest";
import { VERSION } from "../version.js";
import { refuseClient } from "./client-version.js";

describe("a client", () => {
  test.each([
    `typescript/${VERSION}`,
    `python/${VERSION}`,
    `python/${VERSION.replace(/\d+$/, "77")}`,
    `rust/${VERSION}`,
  ])("[DOOR-9 accepts] may call: %s", (claim) => {
    expect(refuseClient(claim)).toBeUndefined();
  });

  test("that says nothing, or nothing of the form, is not judged", () => {
    expect(refuseClient(undefined)).toBeUndefined();
    for (const claim of [
      "",
      "python",
      "python/",
      "/1.0.0",
      "Python/9.0.0",
      "python 9.0.0",
      "a/b c",
      `x/${"9".repeat(99)}`,
    ])
      expect(refuseClient(claim)).toBeUndefined();
  });

  test.each([
    ["python/9.0.0", "the client in Python", `pip install "snakepit-bridge==`],
    ["typescript/9.0.0", "the client in TypeScript", "npm install snakepit-bridge@"],
    ["rust/9.0.0", "the client", undefined],
    ["python/nine", "the client in Python", undefined],
  ])("[DOOR-9 refuses] may not: %s", (claim, name, command) => {
    const refusal = refuseClient(claim);
    expect(refusal?.reason).toBe("VERSION_MISMATCH");
    const version = claim.split("/")[1];
    expect(refusal?.message).toContain(`${name} is version ${version} and the bridge is version ${VERSION}`);
    if (command !== undefined) expect(refusal?.message).toContain(`\`${command}`);
  });
});
