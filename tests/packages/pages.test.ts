/** The pages for users of the packages are run with the packages, as they were installed. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { snippetsOf } from "../docs/pages.js";
import { endAll, run } from "../e2e/processes.js";
import { Playground } from "./snippets.js";

let bridge: Bridge;
let playground: Playground;

beforeAll(async () => {
  playground = new Playground();
  bridge = await startBridge({ port: 0, logger: "silent" });
});
afterAll(async () => {
  await bridge.close();
  await endAll();
  playground.remove();
});

describe.each(["docs/coming-from.md", "packages/bridge/README.md"])("%s", (page) => {
  const snippets = snippetsOf(page);

  test("has blocks that are run", () => {
    expect(snippets.length).toBeGreaterThan(0);
  });

  test.each(snippets.map(({ kind, text }, i) => [`${i + 1} (${kind})`, kind, text] as const))(
    "the block %s does what it says",
    (_, kind, text) => playground.check(kind, text, bridge.address),
  );
});

describe("docs/testing.md", () => {
  const [fake, conftest, real, typescript] = snippetsOf("docs/testing.md");

  test("has tests in Python that pass, without a server and with one", async () => {
    expect([fake, conftest, real].map((block) => block?.kind)).toEqual(["pytest", "conftest", "pytest"]);
    writeFileSync(join(playground.folder, "test_trainer.py"), fake?.text ?? "");
    writeFileSync(join(playground.folder, "conftest.py"), conftest?.text ?? "");
    writeFileSync(join(playground.folder, "test_two.py"), real?.text ?? "");
    const { python } = inject("packages");
    const { output } = await run(python, ["-m", "pytest", "-q", "--rootdir=."], {}, playground.folder);
    expect(output).toMatch(/^3 passed/m);
  });

  test("has a program in TypeScript that does what it says", async () => {
    await playground.check("typescript", typescript?.text ?? "", bridge.address);
  });

  test("the fixtures say what to do where there is no npm package", async () => {
    const program =
      "from snakepit_bridge.testing import running_bridge\nwith running_bridge('/'): print('there is one')";
    const { python } = inject("packages");
    const { stderr, code } = await run(python, ["-c", program], { PATH: "/nowhere" });
    expect(stderr).toContain("BridgeNotFoundError: the npm package snakepit-bridge is neither in ");
    expect(stderr).toContain("run `npm install snakepit-bridge` there, or take a FakeSession");
    expect(code).toBe(1);
  });
});
