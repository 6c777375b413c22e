import { expect, test } from "vitest";
import type { CommandKind } from "../../core/commands.js";
import { checkTimeout, isWrite } from "./transport.js";

/** Every kind of command, and whether it matters if it is carried out twice. */
const WRITES: Record<CommandKind, boolean> = {
  ping: false,
  createSession: true,
  getSession: false,
  listSessions: false,
  heartbeat: false,
  deleteSession: true,
  registerVariable: true,
  ensureVariables: true,
  getVariable: false,
  getVariables: false,
  setVariable: true,
  setVariables: true,
  incrementVariable: true,
  deleteVariable: true,
  listVariables: false,
  getVariableHistory: false,
};

test.each(Object.entries(WRITES) as [CommandKind, boolean][])("%s is known for what it is", (kind, write) => {
  expect(isWrite(kind)).toBe(write);
});

test("a timeout is above 0 and no longer than a timer can wait", () => {
  for (const ms of [0.5, 1, 5_000, 2 ** 31 - 1]) expect(checkTimeout(ms)).toBe(ms);
  for (const ms of [0, -1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31]) {
    expect(() => checkTimeout(ms)).toThrow(RangeError);
  }
});
