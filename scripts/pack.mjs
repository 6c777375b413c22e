// `npm run pack`: makes both packages as they would be published, into ./packed: the npm package as a .tgz, the Python
// package as a .whl. Nothing is fetched for it.
//   node scripts/pack.mjs FOLDER   packs what is built already, into that folder
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { CommandFailed, commandStep, Failure, main, root } from "./process.mjs";
import { venvProgram } from "./python.mjs";
import { setUp } from "./setup.mjs";

const bridge = join(root, "packages", "bridge");

/** Packs what is built, into a folder. */
async function pack(folder) {
  mkdirSync(folder, { recursive: true });
  removeStale();
  try {
    // Its own scripts would build again, under whoever is at work with what is built.
    await commandStep("npm package", "npm", [
      "pack",
      bridge,
      "--ignore-scripts",
      "--pack-destination",
      folder,
    ]);
    await commandStep("wheel", venvProgram("python"), [
      ...[
        "-m",
        "pip",
        "--disable-pip-version-check",
        "--quiet",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
      ],
      ...["--wheel-dir", folder, "./python"],
    ]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Failure(`${error.message}:\n${error.output.trimEnd()}`);
  }
  for (const name of readdirSync(folder).sort()) {
    const file = join(folder, name);
    console.log(`${relative(process.cwd(), file)}  ${Math.round(statSync(file).size / 1_024)} KiB`);
  }
}

/** What was compiled from files that are gone has no place in a package, and the compiler leaves it where it is. */
function removeStale() {
  const dist = join(bridge, "dist");
  for (const file of readdirSync(dist, { recursive: true })) {
    const source = file.replace(/\.(?:d\.ts|js)(?:\.map)?$/, ".ts");
    if (source !== file && !existsSync(join(bridge, "src", source))) rmSync(join(dist, file));
  }
}

await main(async () => {
  const [folder] = process.argv.slice(2);
  if (folder !== undefined) return pack(folder);
  await setUp();
  rmSync(join(root, "packed"), { recursive: true, force: true });
  await pack(join(root, "packed"));
});
