import { expect, test } from "vitest";
import { parseMessage } from "./messages.js";

test.each([
  ['{"kind":"running","pid":4711,"version":"0.1.0"}', { kind: "running", pid: 4711, version: "0.1.0" }],
  ['{"kind":"running","pid":4711}', { kind: "running", pid: 4711, version: "unknown" }],
  ['{"kind":"ready"}', { kind: "ready", address: undefined, aliveWithinMs: undefined }],
  [
    '{"kind":"ready","address":"127.0.0.1:7","aliveWithinMs":1500.5,"more":1}',
    { kind: "ready", address: "127.0.0.1:7", aliveWithinMs: 1500.5 },
  ],
  ['{"kind":"alive"}', { kind: "alive" }],
])("%s is a message", (line, message) => {
  expect(parseMessage(line)).toEqual(message);
});

// A process group is signalled by the negative of its id, and -1 would be all processes.
test.each([
  "",
  "running",
  "null",
  "3",
  "[]",
  "{",
  '{"kind":"later"}',
  '{"kind":"running"}',
  '{"kind":"running","pid":"7"}',
  '{"kind":"running","pid":1}',
  '{"kind":"running","pid":0}',
  '{"kind":"running","pid":-1}',
  '{"kind":"running","pid":1.5}',
])("%j is none", (line) => {
  expect(parseMessage(line)).toBeUndefined();
});

test("what a message should not say is not heard", () => {
  const nothing = { kind: "ready", address: undefined, aliveWithinMs: undefined };
  expect(parseMessage('{"kind":"ready","address":7,"aliveWithinMs":0}')).toEqual(nothing);
  expect(parseMessage('{"kind":"ready","aliveWithinMs":"5"}')).toEqual(nothing);
});
