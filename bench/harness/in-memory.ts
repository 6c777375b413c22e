/** Where nothing is durable. */
import { statfsSync } from "node:fs";

/** Linux' numbers of the file systems tmpfs and ramfs. */
const IN_MEMORY = [0x01021994, 0x858458f6];

/** True if a folder is on a file system that is gone with the power, as the temporary folder is on some systems. */
export function isInMemory(folder: string): boolean {
  return IN_MEMORY.includes(statfsSync(folder).type);
}
