// The Python package with the oldest grpcio and protobuf it promises to work with: its wheel is built, installed
// with them into an environment that is thrown away, and tested. So a file missing from the wheel shows too. The
// arguments are passed on to pytest.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { CommandFailed, commandStep, Failure, main, root, run, withTempFolder } from "./process.mjs";
import { venvProgram, venvVersion } from "./python.mjs";

// The lower bounds in pyproject.toml; a newer Python has wheels of newer grpcio versions only.
const oldestGrpcio = { 10: "1.51.1", 11: "1.51.1", 12: "1.59.0", 13: "1.66.2", 14: "1.75.1" };
const oldestProtobuf = "4.21.6";
// What does not depend on the versions, or takes a bridge, is tested with the newest ones only.
const elsewhere = ["e2e", "model", "parity", "vectors/test_fake_vectors.py"];
const testTools = /^(pytest|pytest-asyncio|hypothesis|numpy)==/;

await main(() =>
  withTempFolder(async (folder) => {
    const python = await makeEnvironment(folder).catch(explain);
    // Old libraries use what newer Pythons deprecate: not a warning that we could act on.
    const tests = "-m pytest -c python/pyproject.toml -W ignore::DeprecationWarning python/tests";
    const onOutput = (chunk) => process.stdout.write(chunk);
    const { code } = await run(
      python,
      [
        ...tests.split(" "),
        ...elsewhere.map((path) => `--ignore=python/tests/${path}`),
        ...process.argv.slice(2),
      ],
      { onOutput },
    );
    process.exitCode = code;
  }),
);

async function makeEnvironment(folder) {
  const [python, environment] = [venvProgram("python"), join(folder, "venv")];
  const minor = venvVersion().split(".")[1];
  const oldest = [`grpcio==${oldestGrpcio[minor]}`, `protobuf==${oldestProtobuf}`];
  const pip = ["-m", "pip", "--disable-pip-version-check", "--quiet"];
  const wheels = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, "./python"];
  await commandStep("wheel", python, [...pip, ...wheels]);
  await commandStep("environment", python, ["-m", "venv", "--without-pip", environment]);
  const wheel = readdirSync(folder).find((name) => name.endsWith(".whl"));
  const target = ["--python", venvProgram("python", environment), "install", "--only-binary", ":all:"];
  await commandStep(oldest.join(", "), python, [
    ...pip,
    ...target,
    join(folder, wheel),
    ...oldest,
    ...pinnedTools(),
  ]);
  return venvProgram("python", environment);
}

function pinnedTools() {
  const lines = readFileSync(join(root, "python", "requirements-dev.txt"), "utf8").split("\n");
  return lines.filter((line) => testTools.test(line));
}

function explain(error) {
  if (!(error instanceof CommandFailed)) throw error;
  throw new Failure(`${error.message}:\n${error.output.trimEnd()}`);
}
