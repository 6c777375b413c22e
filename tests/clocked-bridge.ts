/**
 * A bridge on a clock that stands still until whoever started this program moves it, so that tests in any language decide
 * what time a server has:
 *
 *     node --import tsx tests/clocked-bridge.ts [--store STORE] [--now MS] [--wall MS]
 *
 * The first line of its output says where it listens. Each line of its input is then a command, answered by one line:
 *
 *     advance MS   time passes on both clocks; all timers that became due have fired when it answers `done`
 *     jump MS      the wall clock alone jumps, forwards or backwards
 *
 * It ends, in an orderly way, with its input or by SIGTERM.
 */
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { startBridge } from "snakepit-bridge";
import { ManualClock } from "../packages/bridge/src/testing/manual-clock.js";

const { values } = parseArgs({
  options: {
    store: { type: "string", default: "memory" },
    now: { type: "string", default: "0" },
    wall: { type: "string", default: String(Date.UTC(2030, 0, 1)) },
  },
});
const clock = new ManualClock({ now: Number(values.now), wall: Number(values.wall) });
const bridge = await startBridge({ port: 0, store: values.store, clock });
const commands = createInterface(process.stdin);

commands.on("line", (line) => {
  const [command, amount = ""] = line.split(" ");
  const ms = amount === "" ? Number.NaN : Number(amount);
  if (command === "advance" && ms >= 0) clock.advance(ms);
  else if (command === "jump" && Number.isFinite(ms)) clock.jumpWall(ms);
  else return answer(`error: ${JSON.stringify(line)} is neither advance MS nor jump MS`);
  return answer("done");
});
commands.on("close", () => void bridge.close());
process.on("SIGTERM", () => commands.close());
void bridge.failure.then(({ message }) => {
  process.stderr.write(`error: ${message}\n`);
  process.exitCode = 1;
  commands.close();
});
answer(`listening on ${bridge.address}`);

function answer(line: string): void {
  process.stdout.write(`${line}\n`);
}
