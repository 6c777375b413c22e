// Makes a fresh clone ready to run: npm packages, the Python environment in .venv, the compiled TypeScript.
// Each step is skipped when nothing it depends on has changed, so calling it before everything else is cheap.
// Only Node's own modules may be imported here: nothing is installed yet.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandFailed, commandStep, Failure, isMain, main, root, seconds } from "./process.mjs";
import { findPython, venv, venvProgram, venvVersion } from "./python.mjs";

const oldestNode = [20, 19];
const npmStamp = join(root, "node_modules", ".set-up");
const pythonStamp = join(venv, ".set-up");
const pythonFiles = ["python/requirements-dev.txt", "python/pyproject.toml"];

const unreachable =
  /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ERR_SOCKET_TIMEOUT|network request|establish a new connection|Max retries exceeded|ConnectTimeout|ProxyError|name resolution|Connection(?:Reset|Refused)Error|Read timed out/i;

/** Does everything that is not yet done. Throws a Failure whose message says what to do. */
export async function setUp() {
  const started = performance.now();
  await inTurn(async () => {
    await install();
    await build();
  });
  console.log(`Set up in ${seconds(started)}.`);
}

/** The set-up without the build. */
export async function install() {
  checkNode();
  const python = choosePython();
  await installNpmPackages();
  await installPythonPackages(python);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Failure(
    `Node ${oldestNode.join(".")} or newer is needed and this is ${process.versions.node}: install a newer one from nodejs.org.`,
  );
}

/** Looked for before anything is downloaded, so that a missing Python is the first thing one hears. */
function choosePython() {
  const present = venvVersion();
  if (present !== undefined && !process.env.PYTHON) return { version: present };
  return findPython();
}

async function installNpmPackages() {
  const stamp = hash([`${process.platform} ${process.arch}`, read("package-lock.json")]);
  if (isStamped(npmStamp, stamp)) return;
  const npm = process.env.npm_execpath?.endsWith(".js")
    ? [process.execPath, process.env.npm_execpath]
    : ["npm"];
  const patience = ["--fetch-retry-mintimeout=1000", "--fetch-retry-maxtimeout=10000"];
  await installStep("npm packages", npm[0], [
    ...npm.slice(1),
    ...["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline", ...patience],
  ]);
  writeFileSync(npmStamp, stamp);
}

async function installPythonPackages({ path, version }) {
  const stamp = hash([root, version, ...pythonFiles.map(read)]);
  if (isStamped(pythonStamp, stamp)) return;
  rmSync(pythonStamp, { force: true });
  if (venvVersion() !== version || !existsSync(venvProgram("pip"))) {
    const maker = path ?? findPython().path;
    await installStep(`Python environment (${version})`, maker, ["-m", "venv", "--clear", venv]);
  }
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"];
  const python = venvProgram("python");
  await installStep("Python packages", python, [...pip, "-r", "python/requirements-dev.txt"]);
  // The build tool is among the pinned packages, so nothing else is fetched for it.
  await installStep("snakepit_bridge, editable", python, [
    ...pip,
    "--no-build-isolation",
    "--no-deps",
    "-e",
    "python",
  ]);
  writeFileSync(pythonStamp, stamp);
}

/** The compiler itself knows what has changed. */
async function build() {
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  try {
    await commandStep("TypeScript build", process.execPath, [compiler, "-b", "packages/bridge"]);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.error(error.output.trimEnd());
    throw new Failure("the TypeScript sources do not compile: see the lines above.");
  }
}

async function installStep(label, command, args) {
  try {
    await commandStep(label, command, args);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    throw new Failure(`${explain(error)} The full log is ${error.saveLog()}`);
  }
}

function explain({ label, message, output }) {
  const npm = label.startsWith("npm");
  if (unreachable.test(output)) {
    const settings = npm ? "`npm config get registry`" : "`pip config list`";
    return `${npm ? "npm" : "pip"} could not reach its package registry: check the network, the proxy and ${settings}, then run this again.`;
  }
  if (/EUSAGE/.test(output))
    return "package.json and package-lock.json do not match: run `npm install` and commit both.";
  if (/ENOSPC|No space left/.test(output)) return "The disk is full: make room and run this again.";
  return `${message}: see its log for the reason, then run this again.`;
}

/** Two set-ups at once would spoil node_modules: the second waits for the first. */
export async function inTurn(work) {
  const path = join(tmpdir(), `snakepit-set-up-${hash([root]).slice(0, 12)}.pid`);
  const release = () => rmSync(path, { force: true });
  for (let waiting = false; !take(path); waiting = true) {
    const owner = ownerOf(path);
    if (owner === undefined) release();
    else if (!waiting) console.log(`Another set-up is running here (process ${owner}): waiting for it.`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
  process.once("exit", release);
  try {
    await work();
  } finally {
    process.off("exit", release);
    release();
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: "wx" });
    return true;
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    return false;
  }
}

function ownerOf(path) {
  try {
    const pid = readFileSync(path, "utf8");
    process.kill(Number(pid), 0);
    return pid;
  } catch (error) {
    return error.code === "EPERM" ? "of another user" : undefined;
  }
}

function read(path) {
  return readFileSync(join(root, path), "utf8");
}

function hash(parts) {
  return createHash("sha256").update(parts.join("\0")).digest("hex");
}

function isStamped(path, stamp) {
  return existsSync(path) && readFileSync(path, "utf8") === stamp;
}

if (isMain(import.meta.url)) await main(setUp);
