// Child processes that never surprise: visible progress while they run, a log when they fail, and none left
// behind when this process is interrupted. Every script starts its commands here.
import { spawn } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const signals = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 };
const graceMs = 5_000;
const children = new Set();
let interrupted = false;

/** A problem the user can solve: printed as one sentence, without a stack. */
export class Failure extends Error {}

/** A command that ended with a code other than zero. */
export class CommandFailed extends Error {
  constructor(label, code, output) {
    super(`${label} failed with exit code ${code}`);
    this.label = label;
    this.output = output;
  }

  /** Writes all that the command printed to a file outside the repository and returns its path. */
  saveLog() {
    const path = join(mkdtempSync(join(tmpdir(), "snakepit-log-")), "output.log");
    writeFileSync(path, this.output);
    return path;
  }
}

/** Runs the body of a script. A Failure becomes one sentence and exit code 1; Ctrl-C ends the children first. */
export async function main(body) {
  for (const signal of Object.keys(signals)) process.on(signal, endChildren);
  try {
    return await body();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`error: ${error.message}`);
    process.exit(1);
  } finally {
    for (const signal of Object.keys(signals)) process.off(signal, endChildren);
  }
}

/** True when the file of this URL is the script that was started, and not imported by another one. */
export function isMain(url) {
  return process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(url);
}

/** Starts a command and resolves with its exit code and all that it printed; `onOutput` sees each piece at once. */
export function run(command, args, { env = {}, cwd = root, timeoutMs, onOutput = () => {} } = {}) {
  return new Promise((done) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const output = [];
    const keep = (chunk) => {
      output.push(chunk);
      onOutput(chunk);
    };
    const expire = () => {
      keep(Buffer.from(`stopped after ${timeoutMs / 1000} s\n`));
      stop(child, "SIGTERM");
    };
    const timer = timeoutMs && setTimeout(expire, timeoutMs);
    const end = (code) => {
      clearTimeout(timer);
      children.delete(child);
      // After Ctrl-C nothing more may be started or printed.
      if (!interrupted) done({ code, output: Buffer.concat(output).toString() });
    };
    children.add(child);
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      keep(Buffer.from(`${command}: ${error.message}\n`));
      end(127);
    });
    // What a command leaves running may hold its pipes open; that is no reason to wait for it.
    child.on("exit", () =>
      setTimeout(() => [child.stdout, child.stderr].map((pipe) => pipe.destroy()), graceMs).unref(),
    );
    child.on("close", (code, signal) => end(code ?? 128 + (signals[signal] ?? 9)));
  });
}

/** One line for one step of work: `label  1.2 s`, and a running clock when it lasts. */
export async function step(label, work) {
  const started = performance.now();
  const clock = showClock(label, started);
  try {
    const result = await work();
    clock.stop();
    console.log(`✓ ${label}  ${seconds(started)}`);
    return result;
  } catch (error) {
    clock.stop();
    console.log(`✗ ${label}  ${seconds(started)}`);
    throw error;
  }
}

/** A command as a step: silent when it succeeds, a CommandFailed with its output when it does not. */
export function commandStep(label, command, args, options) {
  return step(label, async () => {
    const { code, output } = await run(command, args, options);
    if (code !== 0) throw new CommandFailed(label, code, output);
    return output;
  });
}

/** A directory in the system's temporary folder that is gone when the work is over. */
export async function withTempFolder(work) {
  const folder = mkdtempSync(join(tmpdir(), "snakepit-"));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  try {
    return await work(folder);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

export function seconds(started) {
  return `${((performance.now() - started) / 1000).toFixed(1)} s`;
}

/** After two seconds: a line that counts on a terminal, a line now and then elsewhere. */
export function showClock(label, started, { everyMs = 10_000 } = {}) {
  const terminal = process.stdout.isTTY && !process.env.CI;
  let drawn = false;
  const draw = () => {
    drawn = terminal;
    process.stdout.write(
      terminal ? `\r\x1b[2K… ${label}  ${seconds(started)}` : `… ${label}  ${seconds(started)}\n`,
    );
  };
  const first = setTimeout(draw, 2_000);
  const next = setInterval(draw, terminal ? 1_000 : everyMs);
  return {
    stop() {
      clearTimeout(first);
      clearInterval(next);
      if (drawn) process.stdout.write("\r\x1b[2K");
    },
  };
}

function stop(child, signal) {
  child.kill(signal);
  setTimeout(() => child.kill("SIGKILL"), graceMs).unref();
}

function endChildren(signal) {
  interrupted = true;
  const exit = () => process.exit(128 + signals[signal]);
  if (children.size === 0) exit();
  for (const child of children) {
    child.once("close", () => {
      children.delete(child);
      if (children.size === 0) exit();
    });
    stop(child, signal);
  }
}
