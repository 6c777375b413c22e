/** What docs/workers.md says is what the code does. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { resolveOptions, type WorkerOptions } from "../../packages/bridge/src/host/options.js";
import { endAll, root, run } from "../e2e/processes.js";
import { readPage, snippetsOf, tableOf } from "./pages.js";

const page = "docs/workers.md";
const source = (file: string): string => readPage(`packages/bridge/src/host/${file}.ts`);
const cells = (heading: string): string[] =>
  tableOf(page, heading).map(([cell = ""]) => cell.replaceAll("`", ""));

afterEach(endAll);

describe("the page on workers", () => {
  test("has a host and a worker that do what they say", async () => {
    const folder = mkdtempSync(join(tmpdir(), "snakepit-workers-"));
    try {
      // A program outside the repository, with both packages installed beside it.
      for (const name of ["node_modules", ".venv"])
        symlinkSync(join(root, name), join(folder, name), "junction");
      const [host, worker] = snippetsOf(page);
      expect([host?.kind, worker?.kind]).toEqual(["typescript", "python"]);
      writeFileSync(join(folder, "host.mts"), host?.text ?? "");
      writeFileSync(join(folder, "square.py"), worker?.text ?? "");
      const args = ["--import", import.meta.resolve("tsx"), "host.mts"];
      const { code, stdout, stderr } = await run(process.execPath, args, {}, folder);
      expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "ready\n16\n", stderr: "" });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  test("names every option, and no other", () => {
    const [, program = "", settings = ""] = source("options").split(
      /export (?:type WorkerProgram|interface WorkerSettings)/,
    );
    const named = [program.split("export type WorkerOptions")[0], settings.split("\n}\n")[0]].flatMap(
      (text) => [...(text ?? "").matchAll(/^ +readonly (\w+)\??:(?! never)/gm)].map(([, name]) => name),
    );
    expect(cells("option")).toEqual(named);
  });

  test("has the defaults of the code", () => {
    const { ready, readyTimeoutMs, graceMs, restart } = resolveOptions({ script: "x" } as WorkerOptions);
    const defaults = Object.fromEntries(
      tableOf(page, "option").map(([name = "", , value = ""]) => [name, value]),
    );
    expect(defaults).toMatchObject({
      "`ready`": `\`${ready}\``,
      "`readyTimeoutMs`": readyTimeoutMs.toLocaleString("en"),
      "`graceMs`": graceMs.toLocaleString("en"),
    });
    expect(restart).toEqual({ limit: 10, firstDelayMs: 200, maxDelayMs: 30_000, resetAfterMs: 60_000 });
  });

  test("names every state and every reason", () => {
    const kinds = [...source("state").matchAll(/readonly kind: "(\w+)"/g)].map(([, kind]) => kind);
    expect(cells("state")).toEqual(kinds);
    const reasons = [...source("errors").matchAll(/^ +\| "(\w+)"/gm)].map(([, reason]) => reason);
    expect(cells("reason")).toEqual(reasons);
  });
});
