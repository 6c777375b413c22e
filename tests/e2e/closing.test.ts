/** A TypeScript program ends when it has closed its client, whatever the bridge does; and a command of the command line when it has failed. */
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { startSilentServer } from "../../packages/bridge/src/client/transport/accidents.contract.js";
import { endAll, root, TestProcess } from "./processes.js";

const stops: (() => void)[] = [];

afterEach(async () => {
  for (const stop of stops.splice(0)) stop();
  await endAll();
});

/** Takes connections and says nothing on them. */
async function silentAddress(): Promise<string> {
  const { address, close } = await startSilentServer();
  stops.push(close);
  return address;
}

function program(address: string, text: string): TestProcess {
  const lines = [
    'import { connect } from "snakepit-bridge";',
    `const client = connect(${JSON.stringify(address)}, { timeoutMs: 500 });`,
    text,
    "await client.close();",
  ];
  return new TestProcess(process.execPath, ["--input-type=module", "--eval", lines.join("\n")]);
}

test.each([
  ["made no call", ""],
  ["called in vain", "await client.session('s').catch((error) => console.log(error.name));"],
  ["calls", "void client.session('s').catch((error) => console.log(error.name));"],
  [
    "watches",
    "client.sessions.watch('s').next().catch((error) => console.log(error.name)); await new Promise(setImmediate);",
  ],
])("a program that %s over a connection on which nothing is said ends with its client", async (_, text) => {
  const { ended, stderr } = program(await silentAddress(), text);
  expect(await ended).toBe(0);
  expect(stderr).toBe("");
});

test("a command ends when nothing was said to it in time", async () => {
  const bin = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");
  const address = await silentAddress();
  const command = new TestProcess(process.execPath, [bin, "get", "s", "x", "--address", address]);
  expect(await command.ended).toBe(1);
  expect(command.stderr).toMatch(/^error: [^\n]+ did not answer within [^\n]+\n$/);
});
