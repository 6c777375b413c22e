/** The commands of docs/curl.md are run, and answered as it says. */
import { afterEach, expect, test } from "vitest";
import { type Bridge, startBridge } from "../../packages/bridge/src/server.js";
import { endAll, run, TestProcess } from "../e2e/processes.js";
import { snippetsOf } from "./pages.js";

const [calls, watch] = snippetsOf("docs/curl.md");
const bridges: Bridge[] = [];

afterEach(async () => {
  // The watch of curl ends with its bridge.
  for (const bridge of bridges.splice(0)) await bridge.close();
  await endAll();
});

async function start(): Promise<(command: string) => string> {
  const bridge = await startBridge({ port: 0, logger: "silent", graceMs: 0 });
  bridges.push(bridge);
  return (command) => command.replaceAll("127.0.0.1:50051", bridge.address);
}

/** Without what is other each time. */
function settled(answer: string): string {
  return answer.replaceAll(/"(incarnation|commitCheck|value|createdAt|updatedAt)":"[^"]*"/g, '"$1":"…"');
}

test("the calls are answered as the page says", async () => {
  const here = await start();
  const steps = [...(calls?.text ?? "").matchAll(/^\$ (.*)\n(.*)\n/gm)];
  expect(steps).toHaveLength(3);
  for (const [, command = "", answer] of steps) {
    const { code, stdout } = await run("sh", ["-c", here(command)]);
    expect([code, settled(stdout)]).toEqual([0, answer]);
  }
});

test("the watch tells what is set", async () => {
  const here = await start();
  const watching = new TestProcess("sh", ["-c", here(watch?.text ?? "")]);
  await watching.until(/"bookmark"/);
  const [, set = ""] = /^\$ (.*)$/m.exec(calls?.text ?? "") ?? [];
  await run("sh", ["-c", here(set)]);
  await watching.until(/"SESSION_EVENT_KIND_CREATED".*"name":"temperature"/);
});
