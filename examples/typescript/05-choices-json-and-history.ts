/** Choices, JSON and history: a plan, the phase it is in, and who changed it why. Start a bridge first, as for 01-hello.ts. */
import { BridgeError, choice, connect, defineVariables, json } from "snakepit-bridge";

interface Plan {
  readonly steps: readonly string[];
  readonly rate: number | null;
}

// The compiler knows the choices and what the plan looks like. The bridge checks the choices, and that the plan is JSON.
const variables = defineVariables({
  phase: choice(["draft", "review", "final"], "draft"),
  plan: json<Plan>({ steps: ["load"], rate: null }),
});
const client = connect();
const session = await client.session("plan-typescript", variables, { ttlMs: 60_000 });

// What is read is frozen: a new plan is made of the old one, and nobody else's change is lost.
await session.update("plan", ({ steps, rate }) => ({ steps: [...steps, "train"], rate }), {
  metadata: { why: "nothing was trained" },
});
await session.update("plan", (plan) => ({ ...plan, rate: 0.5 }), { metadata: { why: "a first guess" } });
const { steps, rate } = await session.get("plan");
console.log(`${steps.join(", ")} at ${rate}`);

await session.set("phase", "review");
try {
  // A program without the definitions is refused by the bridge.
  const anyone = await client.session("plan-typescript");
  await anyone.set("phase", "done");
} catch (error) {
  if (!(error instanceof BridgeError)) throw error;
  console.log(error.message);
}

// Each set is in the history, newest first, with what was said about it.
const { entries } = await session.history("plan");
for (const { version, value, metadata } of entries)
  console.log(`version ${version}: ${JSON.stringify(value)} (${metadata.get("why") ?? "the beginning"})`);

// A former value is set again like any other; what it replaces stays in the history. `client.sessions` takes any value, and
// the bridge judges it.
const former = entries.find(({ version }) => version === 2)?.value ?? null;
await client.sessions.updateVariable(session.id, "plan", former, { metadata: { why: "back to version 2" } });
const last = await session.history("plan", { limit: 1 });
console.log(last.entries[0]?.metadata.get("why"), "is version", last.entries[0]?.version);
await client.sessions.deleteSession(session.id);
await client.close();

// Prints:
//   load, train at 0.5
//   value "done" is not one of "draft", "review", "final"
//   version 3: {"steps":["load","train"],"rate":0.5} (a first guess)
//   version 2: {"steps":["load","train"],"rate":null} (nothing was trained)
//   version 1: {"steps":["load"],"rate":null} (the beginning)
//   back to version 2 is version 4
