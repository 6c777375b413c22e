// `npm test`: set up, then every step of steps.mjs, each with a heading, its own output and a line at the end. A
// failing step does not keep the others from running. The last line is the sum: `N passed, N failed`.
//   --checks         only the checks (`npm run check`)
//   --only <name>    one step; what follows the name is given to its command
import { join } from "node:path";
import { Failure, main, run, seconds, withTempFolder } from "./process.mjs";
import { readResult, reportArguments } from "./reports.mjs";
import { install, inTurn, setUp } from "./setup.mjs";
import { steps } from "./steps.mjs";

const stepTimeoutMs = 900_000;
const silenceMs = 10_000;

await main(async () => {
  const { chosen, extra } = choose(process.argv.slice(2));
  try {
    // Suites need what the build makes; where it is a step itself, its failure must not keep the others from running.
    const builds =
      chosen.some(({ name }) => name === "build") || chosen.every(({ kind }) => kind === "check");
    await (builds ? inTurn(install) : setUp());
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    console.error(`error: ${error.message}`);
    return conclude([{ name: "set-up", passed: 0, failed: 1, skipped: [] }]);
  }
  await withTempFolder(async (folder) => {
    const results = [];
    for (const step of chosen)
      results.push(await perform(step, extra, join(folder, `${results.length}.report`)));
    conclude(results);
  });
});

function choose([option, name, ...extra]) {
  if (option === undefined) return { chosen: steps, extra: [] };
  if (option === "--checks") return { chosen: steps.filter(({ kind }) => kind === "check"), extra: [] };
  const chosen = steps.filter((step) => option === "--only" && step.name === name);
  if (chosen.length === 1) return { chosen, extra };
  const names = steps.map((step) => `"${step.name}"`).join(", ");
  throw new Failure(`use --checks, or --only with one of ${names}.`);
}

async function perform({ name, kind, command }, extra, report) {
  console.log(`\n▸ ${name}`);
  const started = performance.now();
  const [program, ...args] = [...command, ...reportArguments[kind](report), ...extra];
  const voice = speakInSilence(name, started);
  const { code } = await run(program, args, {
    env: { PYTHONUNBUFFERED: "1" },
    timeoutMs: stepTimeoutMs,
    onOutput: (chunk) => {
      voice.heard();
      process.stdout.write(chunk);
    },
  });
  voice.stop();
  const result = { name, seconds: seconds(started), ...readResult(kind, code, report) };
  console.log(line(result));
  return result;
}

/** A step that prints nothing for a while is still at work, and says so. */
function speakInSilence(name, started) {
  let heard = false;
  const timer = setInterval(() => {
    if (!heard) console.log(`… ${name}  ${seconds(started)}`);
    heard = false;
  }, silenceMs);
  return { heard: () => (heard = true), stop: () => clearInterval(timer) };
}

function line({ name, passed, failed, note, seconds = "" }) {
  const counts = failed > 0 ? `${passed} passed, ${failed} failed` : `${passed} passed`;
  return `${failed > 0 ? "✗" : "✓"} ${name.padEnd(24)} ${counts.padEnd(24)} ${seconds}${note ? `  (${note})` : ""}`;
}

function conclude(results) {
  const skipped = results.flatMap((result) => result.skipped.map((text) => `${result.name}: ${text}`));
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  console.log(`\n${results.map(line).join("\n")}\n`);
  if (skipped.length > 0) console.log(`Skipped:\n${skipped.map((text) => `  ${text}`).join("\n")}\n`);
  const counts = [`${sum("passed")} passed`, `${sum("failed")} failed`];
  if (skipped.length > 0) counts.push(`${skipped.length} skipped`);
  console.log(counts.join(", "));
  process.exitCode = sum("failed") > 0 ? 1 : 0;
}
