/** `snakepit-bridge backup`: a copy of a file that may be in use. */
import type { Command } from "commander";
import { backUpFile } from "../../storage/sqlite/backup.js";
import { announceLarge } from "../announce.js";
import { describeContents } from "./verify.js";

export function addBackup(program: Command): void {
  program
    .command("backup")
    .summary("copy a file that a bridge keeps its sessions in")
    .description(
      "Copies the file of --store sqlite:PATH, also while a bridge writes it, which goes on meanwhile. The copy holds all\n" +
        "that was acknowledged before the backup began. It is verified, and on disk when this command ends with exit code 0.\n" +
        "To restore: stop the bridge, remove FILE, FILE-wal and FILE-shm, put the copy in the place of FILE, start.",
    )
    .argument("<file>", "the PATH of --store sqlite:PATH")
    .argument("<destination>", "the name of the copy; it must not be there yet")
    .action(backup);
}

async function backup(file: string, destination: string): Promise<void> {
  announceLarge("copying and checking", file);
  const { bytes, ...contents } = await backUpFile(file, destination);
  process.stdout.write(`${destination}: ${bytes} bytes, ${describeContents(contents)}\n`);
}
