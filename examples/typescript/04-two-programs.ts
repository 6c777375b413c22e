/**
 * Two programs hand work to each other: an observer says what is looked for, an optimiser finds it. Start a bridge first.
 *
 * Without an argument both run here. With `observer` or `optimiser` only that one does, and the other may be the Python one:
 * `npx tsx 04-two-programs.ts observer` in one terminal, `python 04_two_programs.py optimiser` in another, in any order.
 */
import { choice, connect, defineVariables, float, integer } from "snakepit-bridge";

// Both define the variables, so that either may come first. What stands is kept.
const variables = defineVariables({
  phase: choice(["idle", "search", "found", "end"], "idle"),
  target: float(0),
  x: float(0),
  steps: integer(0),
});
const role = process.argv[2];
const client = connect();
const patience = { timeoutMs: 30_000 };

async function observe(): Promise<void> {
  const session = await client.session("two-programs", variables, { ttlMs: 60_000 });
  for (const target of [3, -1.5]) {
    console.log(`observer: look for ${target}`);
    await session.setMany({ target, phase: "search" });
    await session.waitFor("phase", (phase) => phase === "found", patience);
    // All of these are of the commit that said `found`.
    const { x, steps } = await session.getMany(["x", "steps"]);
    console.log(`observer: x is ${x.toFixed(2)} after ${steps} steps`);
  }
  await session.set("phase", "end");
}

async function optimise(): Promise<void> {
  const session = await client.session("two-programs", variables, { ttlMs: 60_000 });
  for (;;) {
    const phase = await session.waitFor("phase", (phase) => phase === "search" || phase === "end", patience);
    if (phase === "end") break;
    const target = await session.get("target");
    let [x, steps] = [0, 0];
    for (; Math.abs(target - x) > 0.001; steps++) x += 0.5 * (target - x);
    console.log(`optimiser: found it in ${steps} steps`);
    await session.setMany({ x, steps, phase: "found" });
  }
  await client.sessions.deleteSession(session.id);
}

await Promise.all([role !== "optimiser" && observe(), role !== "observer" && optimise()]);
await client.close();

// Prints:
//   observer: look for 3
//   optimiser: found it in 12 steps
//   observer: x is 3.00 after 12 steps
//   observer: look for -1.5
//   optimiser: found it in 11 steps
//   observer: x is -1.50 after 11 steps
