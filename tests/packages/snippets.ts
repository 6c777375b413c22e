/** Runs the blocks of pages in the project into which the packages were installed. */
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, inject } from "vitest";
import { run } from "../e2e/processes.js";

/** A folder in that project, so that Node and Python find the packages as they would there. */
export class Playground {
  readonly folder = mkdtempSync(join(inject("packages").app, "page-"));

  constructor() {
    symlinkSync(join(inject("packages").app, ".venv"), join(this.folder, ".venv"), "junction");
  }

  /** Runs a program and expects what it says that it prints, in the comments behind its prints. */
  async check(kind: string, text: string, address: string): Promise<void> {
    const { code, stdout, stderr } = await this.run(kind, text.replaceAll("127.0.0.1:50051", address));
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: said(text), stderr: "" });
  }

  /** Runs a program, of TypeScript or Python. */
  run(kind: string, text: string) {
    const isPython = kind === "python";
    writeFileSync(join(this.folder, isPython ? "hello.py" : "hello.mts"), text);
    return isPython
      ? run(inject("packages").python, ["hello.py"], {}, this.folder)
      : run(process.execPath, ["--import", "tsx", "hello.mts"], {}, this.folder);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}

function said(text: string): string {
  return [...text.matchAll(/(?:console\.log|print)\(.*\);? +(?:\/\/|#) (.*)$/gm)]
    .map(([, line]) => `${line}\n`)
    .join("");
}
