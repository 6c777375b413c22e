/**
 * A worker: a Python process that this program starts, steers through variables, and ends. Start a bridge first.
 *
 * The worker is the second half of ../python/06_workers.py.
 */
import { connect, defineVariables, float, integer } from "snakepit-bridge";
import { startWorker } from "snakepit-bridge/worker";

// `number` is what the worker is to do. The others are its answer, in one commit.
const variables = defineVariables({
  number: float(0, { min: 0 }),
  root_of: float(0),
  root: float(0),
  rounds: integer(0),
});
const client = connect();
const session = await client.session("worker-typescript", variables, { ttlMs: 60_000 });

// It is there when the worker has called `worker.ready()`. If it crashes or hangs it is started again, and when this program
// ends, however that is, the worker ends too. Where the bridge is it finds in the environment, as this program does.
const worker = await startWorker({
  script: new URL("../python/06_workers.py", import.meta.url),
  args: ["work"],
  sessionId: session.id,
});
console.log(`the worker is ${worker.state.kind}`);

for (const number of [2, 144]) {
  await session.set("number", number);
  await session.waitFor("root_of", (done) => done === number, { timeoutMs: 30_000 });
  const { root, rounds } = await session.getMany(["root", "rounds"]);
  console.log(`the root of ${number} is ${root.toFixed(4)}, found in ${rounds} rounds`);
}

await worker.close();
const ending = await worker.ended;
console.log(`the worker is ${ending.reason}`);
await client.sessions.deleteSession(session.id);
await client.close();

// Prints:
//   the worker is ready
//   the root of 2 is 1.4142, found in 4 rounds
//   the root of 144 is 12.0000, found in 8 rounds
//   the worker is closed
