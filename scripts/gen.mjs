// `npm run gen`: the proto files become code that is checked in. TypeScript comes from protoc-gen-es. Python gets
// the compiled descriptors and small modules over them (gen-python.mjs), because what protoc writes would tie the
// package to one range of protobuf versions. With --check nothing is written, and stale code is an error.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { initModule, messageModule, messageStub, moduleName, poolModule } from "./gen-python.mjs";
import { withWords } from "./gen-typescript.mjs";
import { Failure, isMain, main, root, run, withTempFolder } from "./process.mjs";
import { venvProgram } from "./python.mjs";

const typescriptFolder = "packages/bridge/src/wire/gen";
const pythonFolder = "python/src/snakepit_bridge/_gen";

/** Generates into a temporary folder, then compares with the checked-in code or replaces it. */
async function generate(check) {
  const changed = await withTempFolder(async (made) => {
    await Promise.all([makeTypescript(made), makePython(join(made, pythonFolder), join(made, "stubs"))]);
    return [typescriptFolder, pythonFolder].flatMap((folder) => synchronise(made, folder, check));
  });
  if (changed.length === 0) console.log("Generated code is up to date.");
  else if (check)
    throw new Failure(`generated code is stale: run \`npm run gen\`. It changes ${changed.join(", ")}.`);
  else console.log(changed.join("\n"));
}

async function makeTypescript(made) {
  await tool("buf", "generate", "proto", "--template", "proto/buf.gen.yaml", "--output", made);
  const folder = join(made, typescriptFolder);
  for (const name of filesIn(folder).filter((path) => path.startsWith("snakepit"))) {
    const path = join(folder, name);
    writeFileSync(path, withWords(readFileSync(path, "utf8")));
  }
}

async function makePython(folder, stubs) {
  mkdirSync(folder, { recursive: true });
  mkdirSync(stubs);
  const descriptors = join(folder, "bridge.binpb");
  await tool(
    "buf",
    "build",
    "proto",
    "--as-file-descriptor-set",
    "--exclude-source-info",
    "--output",
    descriptors,
  );
  const files = fromBinary(FileDescriptorSetSchema, readFileSync(descriptors)).file;
  const names = files.map(({ name }) => name);
  const modules = new Set(names.map(moduleName));
  if (modules.size < names.length)
    throw new Failure("two proto files have the same base name; Python needs them apart.");
  await command(
    venvProgram("python"),
    "-m",
    "grpc_tools.protoc",
    "-I",
    "proto",
    `--pyi_out=${stubs}`,
    ...names,
  );
  for (const file of files) {
    const stub = readFileSync(join(stubs, file.name.replace(/\.proto$/, "_pb2.pyi")), "utf8");
    writeFileSync(join(folder, `${moduleName(file.name)}.py`), messageModule(file));
    writeFileSync(join(folder, `${moduleName(file.name)}.pyi`), messageStub(file, stub, modules));
  }
  writeFileSync(join(folder, "__init__.py"), initModule);
  writeFileSync(join(folder, "_pool.py"), poolModule);
}

/** The files of this folder that differ; unless only checked, they are written or removed. */
function synchronise(made, folder, check) {
  const names = new Set([...filesIn(join(made, folder)), ...filesIn(join(root, folder))]);
  return [...names].sort().flatMap((name) => {
    const [wanted, present] = [join(made, folder, name), join(root, folder, name)];
    if (existsSync(wanted) && existsSync(present) && readFileSync(wanted).equals(readFileSync(present)))
      return [];
    if (!check) replace(present, wanted);
    return [join(folder, name)];
  });
}

function replace(present, wanted) {
  if (!existsSync(wanted)) return rmSync(present);
  mkdirSync(dirname(present), { recursive: true });
  writeFileSync(present, readFileSync(wanted));
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("__pycache__"))
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1));
}

function tool(name, ...args) {
  return command(join(root, "node_modules", ".bin", name), ...args);
}

async function command(program, ...args) {
  const bin = join(root, "node_modules", ".bin");
  const { code, output } = await run(program, args, { env: { PATH: `${bin}:${process.env.PATH}` } });
  if (code === 127) throw new Failure(`${program} is missing: run \`npm run setup\` first.`);
  if (code !== 0) throw new Failure(`the proto files were not accepted:\n${output.trimEnd()}`);
}

if (isMain(import.meta.url)) await main(() => generate(process.argv.includes("--check")));
