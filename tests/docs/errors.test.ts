/** The table of docs/errors.md is what the code of both languages does. */
import { describe, expect, test } from "vitest";
import { CLIENT_REASONS, type ErrorReason, errorFor } from "../../packages/bridge/src/core/errors.js";
import { REASONS, type Reason } from "../../packages/bridge/src/core/refusal.js";
import { codeOf } from "../../packages/bridge/src/wire/errors.js";
import { python, run } from "../e2e/processes.js";
import { tableOf } from "./pages.js";

const rows = tableOf("docs/errors.md", "reason");
const reasons = [...REASONS, ...CLIENT_REASONS];

describe("the table of errors", () => {
  test("has every reason once, in the order of the code", () => {
    expect(rows.map(([reason]) => reason)).toEqual(reasons);
  });

  test("is what TypeScript does", () => {
    const ours = reasons.map((reason: ErrorReason) => {
      const error = errorFor(reason, "");
      return [reason, error.name, error.retryable ? "yes" : "no"];
    });
    expect(rows.map(([reason, , name, retry]) => [reason, name, retry])).toEqual(ours);
  });

  test("has the codes that the server answers with", () => {
    const codes = REASONS.map((reason: Reason) => [reason, codeOf(reason)]);
    expect(rows.slice(0, REASONS.length).map(([reason, code]) => [reason, code])).toEqual(codes);
  });

  test("is what Python does", async () => {
    const program = `
import json
from snakepit_bridge._errors import REASONS
print(json.dumps([[reason, row.code or "–", row.error.__name__, "yes" if row.retryable else "no"]
                  for reason, row in REASONS.items()]))`;
    const { stdout, stderr } = await run(python, ["-c", program]);
    expect(stderr).toBe("");
    expect(rows).toEqual(JSON.parse(stdout));
  });

  test("names the classes that are builtin errors in Python too", async () => {
    const program = `
import json, snakepit_bridge
found = {}
for name in snakepit_bridge.__all__:
    cls = getattr(snakepit_bridge, name)
    if isinstance(cls, type) and issubclass(cls, snakepit_bridge.BridgeError):
        for base in cls.__bases__[1:]:
            found.setdefault(base.__name__, []).append(name)
print(json.dumps(found))`;
    const { stdout, stderr } = await run(python, ["-c", program]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({
      KeyError: ["SessionNotFoundError", "VariableNotFoundError"],
      TimeoutError: ["DeadlineError"],
      ValueError: [
        "BatchError",
        "ConstraintError",
        "DefinitionConflictError",
        "InvalidInputError",
        "TypeMismatchError",
      ],
    });
  });
});
