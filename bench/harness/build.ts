/** The benchmark measures what is built, so it builds first; that takes a moment only where something has changed. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Builds the bridge. Throws what the compiler says if it cannot. */
export function build(): void {
  const root = fileURLToPath(new URL("../..", import.meta.url));
  const tsc = fileURLToPath(new URL("../../node_modules/typescript/bin/tsc", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [tsc, "-b", "packages/bridge"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the bridge does not build:\n${stdout.trimEnd()}`);
}
