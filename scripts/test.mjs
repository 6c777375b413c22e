// `npm test`: set up, then every step of steps.mjs, each with a heading, its own output and a line at the end. A
// failing step does not keep the others from running. The last line is the sum: `N passed, N failed`. Steps that name what they
// run `beside` run while that step does, and what they print comes after it.
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
    for (const together of groups(chosen)) {
      const report = (i) => join(folder, `${results.length + i}.report`);
      results.push(...(await performTogether(together, extra, report)));
    }
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

/** The steps in turn, each with those that run beside it. */
function groups(chosen) {
  const all = [];
  for (const step of chosen) {
    const group = all.find(([first]) => first.name === step.beside);
    if (group === undefined) all.push([step]);
    else group.push(step);
  }
  return all;
}

/** Runs steps at the same time. What the first prints is seen at once, and what the others print when they are done. */
async function performTogether(together, extra, report) {
  const later = together.map(() => []);
  const running = together.map((step, i) =>
    perform(
      step,
      extra,
      report(i),
      i === 0 ? (text) => process.stdout.write(text) : (text) => later[i].push(text),
    ),
  );
  const results = [];
  for (const [i, one] of running.entries()) {
    const result = await one;
    for (const text of later[i]) process.stdout.write(text);
    results.push(result);
  }
  return results;
}

async function perform({ name, kind, command }, extra, report, print) {
  print(`\n▸ ${name}\n`);
  const started = performance.now();
  const [program, ...args] = [...command, ...reportArguments[kind](report), ...extra];
  const voice = speakInSilence(name, started);
  const { code } = await run(program, args, {
    env: { PYTHONUNBUFFERED: "1" },
    timeoutMs: stepTimeoutMs,
    onOutput: (chunk) => {
      voice.heard();
      print(chunk);
    },
  });
  voice.stop();
  const result = { name, seconds: seconds(started), ...readResult(kind, code, report) };
  print(`${line(result)}\n`);
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
