/** The page of docs/browser.md works as written, in a real browser. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import type { Browser } from "playwright-core";
import { connect } from "snakepit-bridge";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserPath, startBrowser } from "../e2e/browser.js";
import { endAll, root, TestProcess } from "../e2e/processes.js";
import { snippetsOf } from "./pages.js";

const snippets = new Map(snippetsOf("docs/browser.md").map(({ kind, text }) => [kind, text]));

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("the page on pages marks what is run", () => {
  expect([...snippets.keys()]).toEqual(["html", "script", "serve", "page"]);
});

describe.skipIf(browserPath === undefined)("the page on pages", () => {
  let folder: string;
  let browser: Browser;
  const ports = new Map<string, number>();
  const here = (text = "") => text.replaceAll(/50051|8000/g, (port) => String(ports.get(port)));

  beforeAll(async () => {
    for (const port of ["50051", "8000"]) ports.set(port, await freePort());
    folder = mkdtempSync(join(tmpdir(), "snakepit-page-"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "index.html"), here(snippets.get("html")));
    writeFileSync(join(folder, "page.ts"), here(snippets.get("script")));
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    await endAll();
    rmSync(folder, { recursive: true });
  });

  /** Starts a command of the page, as `npx` would. */
  function start(kind: string, more = ""): TestProcess {
    const [, command = ""] = /^npx (.*)\n$/.exec(here(snippets.get(kind))) ?? [];
    const env = { PATH: `${join(root, "node_modules", ".bin")}${delimiter}${process.env["PATH"]}` };
    return new TestProcess("sh", ["-c", `exec ${command}${more}`], env, folder);
  }

  test("has a page that shows a variable, changes it, and says what is refused", async () => {
    const bridge = start("serve", ` --port ${ports.get("50051")} --store memory`);
    await bridge.until(/listening on/);
    const pages = start("page");
    await pages.until(/Local:/);
    const page = await browser.newPage();
    await page.goto(here("http://127.0.0.1:8000"));
    const shows = (text: string) => page.getByText(`temperature: ${text}`, { exact: true }).waitFor();
    await shows("0.5");
    const client = connect(here("127.0.0.1:50051"));
    await client.sessions.updateVariables("run-42", { temperature: 0.25 });
    await shows("0.25");
    for (const text of ["0.5", "0.75", "1"]) {
      await page.getByRole("button").click();
      await shows(text);
    }
    await page.getByRole("button").click();
    await page.getByText("value 1.25 is above maximum 1", { exact: true }).waitFor();
    await client.close();
  });
});
