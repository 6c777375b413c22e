/** Files that a command makes and makes again: there whole or not at all, and never in the place of somebody else's. */
import { randomBytes } from "node:crypto";
import { open, readFile, realpath, rename, rm } from "node:fs/promises";

/** Writes a file; refuses to replace one that does not begin with the mark of what this command writes. */
export async function writeOwnFile(path: string, text: string, mark: string): Promise<void> {
  const standing = await readStanding(path);
  if (standing !== undefined && !standing.startsWith(mark)) {
    throw new Error(
      `${path} is there already, and not by this command: choose another name, or remove it first`,
    );
  }
  // What a link leads to is replaced, and not the link.
  const target = standing === undefined ? path : await realpath(path);
  const partial = `${target}.${randomBytes(4).toString("hex")}.part`;
  try {
    const file = await open(partial, "wx");
    try {
      await file.writeFile(text, "utf8");
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, target);
  } catch (error) {
    throw unwritable(path, error);
  } finally {
    await rm(partial, { force: true });
  }
}

async function readStanding(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unwritable(path, error);
  }
}

/** Node's texts begin with the code and end with what was called; what people need is in the middle. */
function unwritable(path: string, error: unknown): Error {
  const { message } = error as Error;
  const why = /^\w+: ([^,]+), /.exec(message)?.[1] ?? message;
  return new Error(`${path} cannot be written: ${why}`, { cause: error });
}
