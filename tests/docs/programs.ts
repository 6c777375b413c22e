/** Runs the programs that stand in the pages. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "vitest";
import { startBridge } from "../../packages/bridge/src/server.js";
import { python, root, run } from "../e2e/processes.js";
import { readPage, type Snippet } from "./pages.js";

/** What a page says that its first programs print. */
export function outputsOf(page: string): string[] {
  return [...readPage(page).matchAll(/It prints\n\n```\n(.*?)```/gs)].map(([, text]) => text as string);
}

/** What a program prints that stands in a snippet. */
export async function printed({ kind, text }: Snippet): Promise<string> {
  return kind === "python" ? printedByPython(text) : printedByNode(text);
}

async function printedByPython(program: string): Promise<string> {
  const bridge = await startBridge({ port: 0, logger: "silent" });
  try {
    const { code, stdout, stderr } = await run(python, ["-X", "dev", "-c", program], {
      SNAKEPIT_BRIDGE_ADDRESS: bridge.address,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  } finally {
    await bridge.close();
  }
}

async function printedByNode(program: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "snakepit-watching-"));
  try {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    writeFileSync(join(folder, "program.mts"), program);
    const args = ["--import", import.meta.resolve("tsx"), "program.mts"];
    const { code, stdout, stderr } = await run(process.execPath, args, {}, folder);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
