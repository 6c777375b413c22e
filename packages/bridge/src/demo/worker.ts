/**
 * The worker of the demo where there is no Python: it does what worker.py does. It is a client like any other, over a
 * connection, though it runs in the host's process.
 */
import { setTimeout as delay } from "node:timers/promises";
import { connect } from "../client/index.js";
import { look, variable } from "./observer.js";
import { Adam, rosenbrock } from "./optimiser.js";
import { ALL_NAMES, SETTING_NAMES, variables } from "./variables.js";

const STEP_EVERY_MS = 20;

/** Optimises until the signal. */
export async function runWorker(address: string, sessionId: string, signal: AbortSignal): Promise<void> {
  const client = connect(address);
  try {
    const session = await client.session(sessionId, variables);
    const start = await session.snapshot();
    const adam = new Adam(start.values.x, start.values.y);
    let used = "";
    while (!signal.aborted) {
      // Values and versions at one revision.
      const now = await look(client.sessions, sessionId, ALL_NAMES);
      const [rate, target] = [variable(now, "learning_rate"), variable(now, "target")].map((setting) =>
        Number(setting.value),
      ) as [number, number];
      const paused = variable(now, "paused").value === true;
      const metadata = Object.fromEntries(
        SETTING_NAMES.map((name) => [`saw_${name}`, String(variable(now, name).version)]),
      );
      const seen = JSON.stringify(metadata);
      if (!paused) adam.step(rate, target);
      if (!paused || seen !== used) {
        const results = {
          step: start.values.step + adam.steps,
          loss: rosenbrock(adam.x, adam.y, target),
          x: adam.x,
          y: adam.y,
          phase: paused ? "paused" : "running",
        };
        await session.setMany(results, { metadata });
        used = seen;
      }
      await delay(STEP_EVERY_MS, undefined, { signal }).catch(() => {});
    }
  } finally {
    await client.close();
  }
}
