/** `snakepit-bridge/web` in a real browser, against a real bridge on another origin. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type * as Web from "../../packages/bridge/src/web.js";
import { witnessWatches } from "../witness.js";
import { browserPath, PageServer, STRANGER, startBrowser } from "./browser.js";
import { python, root, run } from "./processes.js";

/** What the script of the page leaves for its tests. */
declare global {
  var web: typeof Web;
  var session: Web.Session;
  var told: unknown[];
}

witnessWatches();

describe.skipIf(browserPath === undefined)("a page", () => {
  let browser: Browser;
  let pages: PageServer;
  let strangers: PageServer;
  let folder: string;
  let bridge: Bridge;
  let page: Page;
  const problems: string[] = [];

  beforeAll(async () => {
    const { outputFiles } = await build({
      stdin: { contents: 'export * from "snakepit-bridge/web";', resolveDir: root },
      bundle: true,
      write: false,
      platform: "browser",
      format: "iife",
      globalName: "web",
    });
    const script = outputFiles[0]?.text ?? "";
    [pages, strangers] = await Promise.all([PageServer.start(script), PageServer.start(script)]);
    browser = await startBrowser();
  });
  afterAll(async () => {
    await browser?.close();
    pages?.close();
    strangers?.close();
  });

  const start = (port: number) =>
    startBridge({
      port,
      store: `sqlite:${join(folder, "bridge.db")}`,
      allowOrigins: [pages.origin],
      logger: "silent",
      graceMs: 1_000,
    });
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "snakepit-browser-"));
    bridge = await start(0);
    page = await open(pages);
  });
  afterEach(async () => {
    await page.close();
    await bridge.close();
    rmSync(folder, { recursive: true });
  });

  async function open(server: PageServer): Promise<Page> {
    const opened = await browser.newPage();
    opened.on("pageerror", (error) => problems.push(error.message));
    await opened.goto(server.origin);
    return opened;
  }

  /** Opens a session in the page, which keeps what it is told. */
  async function openSession(): Promise<void> {
    await page.evaluate(async (url) => {
      const { connect, defineVariables, float } = globalThis.web;
      const variables = defineVariables({ temperature: float(0.7, { min: 0, max: 2 }) });
      globalThis.session = (await connect(url).session("run-42", variables)) as unknown as Web.Session;
      globalThis.told = [];
      globalThis.session.onChange(undefined, ({ source, changes }) => {
        globalThis.told.push([source, ...changes.map(({ value }) => value)]);
      });
      await globalThis.session.ready();
    }, `http://${bridge.address}`);
  }

  const peek = () => page.evaluate(() => globalThis.session.peek("temperature"));

  test("reads live, sets, and sees what a Python program sets", async () => {
    await openSession();
    expect(await peek()).toBe(0.7);
    const written = await page.evaluate(async () => {
      const { value, version } = await globalThis.session.set("temperature", 0.9);
      return { value, version, own: globalThis.session.peek("temperature") };
    });
    expect(written).toEqual({ value: 0.9, version: 2, own: 0.9 });
    const program = [
      "from snakepit_bridge.sync import SessionContext",
      "with SessionContext('run-42') as session:",
      "    print(session['temperature'])",
      "    session['temperature'] = 1.5",
    ].join("\n");
    const ran = await run(python, ["-c", program], { SNAKEPIT_BRIDGE_ADDRESS: bridge.address });
    expect(ran).toMatchObject({ code: 0, stdout: "0.9\n" });
    await page.waitForFunction(() => globalThis.session.peek("temperature") === 1.5);
    await page.waitForFunction(() => globalThis.told.length === 2);
    expect(await page.evaluate(() => globalThis.told)).toEqual([
      ["typescript", 0.9],
      ["python", 1.5],
    ]);
  });

  test("is refused what the bridge refuses, by the same error", async () => {
    await openSession();
    const refused = await page.evaluate(async () => {
      try {
        await globalThis.session.set("temperature", 3);
      } catch (error) {
        const { ConstraintError } = globalThis.web;
        if (!(error instanceof ConstraintError)) throw error;
        const { name, message, reason, constraint, identifier } = error;
        return { name, message, reason, constraint, identifier };
      }
      return undefined;
    });
    expect(refused).toEqual({
      name: "ConstraintError",
      message: "value 3 is above maximum 2",
      reason: "CONSTRAINT_VIOLATED",
      constraint: "max",
      identifier: "temperature",
    });
  });

  test("finds the bridge again that was started anew, and misses nothing", async () => {
    await openSession();
    const { port } = bridge;
    await bridge.close();
    await page.waitForFunction(() => globalThis.session.getCacheStats().state === "STALE");
    // While it is away the last value is read, marked; a write fails, and nothing is done.
    const [stale, error] = await page.evaluate(async () => [
      (await globalThis.session.read("temperature")).stale,
      await globalThis.session.set("temperature", 1).catch(({ name }: Error) => name),
    ]);
    expect([stale, error]).toEqual([true, "UnavailableError"]);
    bridge = await start(port);
    const theirs = await bridge.session("run-42");
    await theirs.set("temperature", 1.25);
    await page.waitForFunction(() => {
      const { state } = globalThis.session.getCacheStats();
      return state === "READY" && globalThis.session.peek("temperature") === 1.25;
    });
    await page.waitForFunction(() => globalThis.told.length > 0);
    expect(await page.evaluate(() => globalThis.told)).toEqual([["typescript", 1.25]]);
  });

  test("of another origin may not ask, whatever it sends", async () => {
    const stranger = await open(strangers);
    const url = `http://${bridge.address}`;
    const error = await stranger.evaluate(async (bridgeUrl) => {
      const client = globalThis.web.connect(bridgeUrl);
      return client.session("theirs").then(
        () => undefined,
        ({ name, message }: Error) => ({ name, message }),
      );
    }, url);
    expect(error?.name).toBe("UnavailableError");
    expect(error?.message).toContain(`--allow-origin ${strangers.origin}`);
    const sent = await stranger.evaluate(async (rpc) => {
      const body = '{"session_id":"theirs"}';
      const requests: RequestInit[] = [
        { method: "POST", body },
        { method: "POST", body, mode: "no-cors" },
        { method: "POST", body, headers: { "content-type": "application/json" } },
      ];
      const outcome = (init: RequestInit) =>
        fetch(rpc, init).then(
          ({ type, status }) => [type, status],
          () => "failed",
        );
      return Promise.all(requests.map(outcome));
    }, `${url}/snakepit.bridge.v1.SessionService/CreateSession`);
    expect(sent).toEqual(["failed", ["opaque", 0], "failed"]);
    expect(await bridge.sessions.listSessions()).toEqual([]);
    await stranger.close();
  });

  test("that has a name of its own resolved to this machine may not ask either", async () => {
    const rebound = await browser.newPage();
    const url = `http://${STRANGER}:${bridge.port}`;
    expect((await rebound.goto(url))?.status()).toBe(403);
    const status = await rebound.evaluate(async (rpc) => {
      const headers = { "content-type": "application/json" };
      return (await fetch(rpc, { method: "POST", headers, body: '{"session_id":"theirs"}' })).status;
    }, `${url}/snakepit.bridge.v1.SessionService/CreateSession`);
    expect(status).toBe(403);
    expect(await bridge.sessions.listSessions()).toEqual([]);
    await rebound.close();
  });

  test("of another origin may not ask by a form", async () => {
    const stranger = await open(strangers);
    const rpc = `http://${bridge.address}/snakepit.bridge.v1.SessionService/CreateSession`;
    const answered = stranger.waitForResponse((response) => response.url() === rpc);
    await stranger.setContent(
      `<form method="post" enctype="text/plain" action="${rpc}"><input name='{"session_id":"theirs","x":"' value='"}'></form>`,
    );
    await stranger.evaluate('document.querySelector("form").submit()');
    expect((await answered).status()).toBe(403);
    expect(await bridge.sessions.listSessions()).toEqual([]);
    await stranger.close();
  });

  test("has had no errors that nobody caught", () => {
    expect(problems).toEqual([]);
  });
});
