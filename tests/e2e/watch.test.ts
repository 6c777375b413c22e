/** A TypeScript host watches what a Python program does. */
import { type Bridge, startBridge } from "snakepit-bridge";
import { afterEach, beforeEach, expect, test } from "vitest";
import { shownOf } from "../../packages/bridge/src/testing/watch-forms.contract.js";
import { noteWatch, witnessWatches } from "../witness.js";
import { endAll, python, run, TestProcess } from "./processes.js";

witnessWatches();

let bridge: Bridge;
beforeEach(async () => {
  bridge = await startBridge({ port: 0, logger: "silent" });
});
afterEach(async () => {
  await endAll();
  await bridge.close();
});

test("a program that does nothing but watch goes on until it stands, and longer", async () => {
  const program = `
import { connect } from "snakepit-bridge";
for await (const { at, metadata, ...event } of connect("${bridge.address}").sessions.watch("run")) {
  console.log(JSON.stringify({ ...event, at: at.getTime(), metadata: [...metadata] }));
  break;
}
process.exit();
`;
  const witness = noteWatch({ sessionId: "run", names: [], passive: false });
  const watching = new TestProcess(process.execPath, ["--input-type=module", "--eval", program]);
  let ended: number | string | undefined;
  void watching.ended.then((how) => {
    ended = how;
  });
  // It does not say when its watch stands, so what it is to be told comes again and again.
  const session = await bridge.session("run");
  for (let step = 0; ended === undefined; step++) {
    await session.set("step", step);
    await new Promise(setImmediate);
  }
  expect({ ended, stderr: watching.stderr }).toEqual({ ended: 0, stderr: "" });
  const { at, metadata, ...event } = JSON.parse(watching.stdout);
  expect(event.kind).toBe("changed");
  witness.step({});
  witness.step({ event: shownOf({ ...event, at: new Date(at), metadata: new Map(metadata) }) });
});

const program = (address: string): string => `
from snakepit_bridge.sync import SessionContext
with SessionContext("run", address="${address}") as session:
    for step in range(200):
        session.set_variable("step", step, metadata={"loop": "train"})
    session.update_variables({"step": 200, "loss": 0.5})
    session.delete_variable("loss")
`;

test("a watch tells what Python sets, whole, in order and with its source", async () => {
  const watch = bridge.sessions.watch("run");
  await watch.ready();
  const { code, stderr } = await run(python, ["-c", program(bridge.address)]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const steps: unknown[] = [];
  for await (const { kind, source, metadata, changes } of watch) {
    if (kind === "created" && changes.length === 0) continue;
    expect(source).toBe("python");
    if (changes[0]?.name === "loss" && changes[0].version === undefined) break;
    if (changes.length === 1) expect(metadata).toEqual(new Map([["loop", "train"]]));
    else
      expect(changes).toMatchObject([
        { previous: 199, value: 200 },
        { name: "loss", value: 0.5 },
      ]);
    steps.push(changes[0]?.value);
  }
  expect(steps).toEqual(Array.from({ length: 201 }, (_, i) => i));
});
