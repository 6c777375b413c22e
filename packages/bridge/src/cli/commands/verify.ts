/** `snakepit-bridge verify`: whether a file is what was written. */
import type { Command } from "commander";
import { type FileContents, verifyFile } from "../../storage/sqlite/verify.js";
import { announceLarge } from "../announce.js";

export function addVerify(program: Command): void {
  program
    .command("verify")
    .summary("check a file that a bridge keeps its sessions in")
    .description(
      "Reads a whole file and checks it: SQLite's pages, the format, every commit and its place in the chain, and every\n" +
        "snapshot. Changes nothing, and works while a bridge writes the file. Prints what the file holds; or ends with\n" +
        "exit code 1 and one line on standard error that says where the first damage is.",
    )
    .argument("<file>", "the PATH of --store sqlite:PATH, or a backup")
    .action(verify);
}

async function verify(file: string): Promise<void> {
  announceLarge("checking", file);
  process.stdout.write(`${file} is sound: ${describeContents(await verifyFile(file))}\n`);
}

/** `3 sessions, 12 variables, 40 commits, 1 snapshot` */
export function describeContents({ sessions, variables, commits, snapshots }: FileContents): string {
  const counts = { session: sessions, variable: variables, commit: commits, snapshot: snapshots };
  return Object.entries(counts)
    .map(([noun, count]) => `${count} ${noun}${count === 1 ? "" : "s"}`)
    .join(", ");
}
