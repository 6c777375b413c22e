// The proto files: style by `buf lint`, and by `buf breaking` that nothing released is broken. What is released is
// the newest tag; on a branch without tags it is the main branch. Where neither exists there is nothing to break.
import { join } from "node:path";
import { Failure, isMain, main, root, run, withTempFolder } from "./process.mjs";

const buf = join(root, "node_modules", ".bin", "buf");

async function checkProto() {
  await must("buf lint", buf, "lint", "proto");
  const base = await earlierVersion();
  if (base.ref === undefined) {
    console.log(`buf lint passed; buf breaking has nothing to compare with: ${base.reason}.`);
    return;
  }
  await withTempFolder(async (folder) => {
    const archive = join(folder, "earlier.tar");
    await must("git archive", "git", "archive", "--output", archive, base.ref, "proto");
    await must("buf breaking", buf, "breaking", "proto", "--against", `${archive}#subdir=proto`);
  });
  console.log(`buf lint and buf breaking passed (against ${base.name}).`);
}

async function earlierVersion() {
  const head = await git("rev-parse", "HEAD");
  if (head === undefined) return { reason: "no git repository, or no commit in it" };
  const tag = await git("describe", "--tags", "--abbrev=0");
  for (const name of [tag, "main", "origin/main"]) {
    const ref = name && (await git("rev-parse", "--verify", "--quiet", `${name}^{commit}`));
    if (!ref || (ref === head && name !== tag)) continue;
    if (await git("ls-tree", "-d", "--name-only", ref, "proto")) return { name, ref };
  }
  return { reason: "no tag, and no other main branch, with proto files (a shallow clone has none)" };
}

/** What git prints; undefined when it fails, which is also what happens outside a repository. */
async function git(...args) {
  const { code, output } = await run("git", args);
  return code === 0 ? output.trim() : undefined;
}

async function must(label, program, ...args) {
  const { code, output } = await run(program, args);
  if (code !== 0) throw new Failure(`${label} found faults:\n${output.trimEnd()}`);
}

if (isMain(import.meta.url)) await main(checkProto);
