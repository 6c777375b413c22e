/**
 * A bridge, and a TypeScript program that answers processes: where `ask NAME` is set in a session that it was told of, it sets
 * `answer NAME` to one more. So a process that gets its answer was seen by TypeScript, and sees it.
 *
 *     node --import tsx tests/processes/host.ts
 *
 * The first line of its output says where the bridge listens. Each line of its input is the id of a session, answered by
 * `done`. It ends with its input or by SIGTERM.
 */
import { createInterface } from "node:readline";
import { connect, startBridge } from "snakepit-bridge";

const bridge = await startBridge({ port: 0 });
const client = connect(bridge.address);
const commands = createInterface(process.stdin);

commands.on("line", async (id) => {
  const session = await client.session(id);
  session.onChange(undefined, async ({ changes }) => {
    for (const { name, value } of changes) {
      if (name.startsWith("ask ")) await session.set(name.replace("ask", "answer"), Number(value) + 1);
    }
  });
  await session.set("told", true);
  console.log("done");
});
commands.on("close", async () => {
  await client.close();
  await bridge.close();
});
process.on("SIGTERM", () => commands.close());
console.log(`listening on ${bridge.address}`);
