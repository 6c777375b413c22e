// Variables of every type, and names that are no identifiers, for the tests of what `snakepit-bridge types` writes.
import { boolean, choice, defineVariables, float, integer, json, string } from "snakepit-bridge";

export default defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }, { description: "How daring the answers are." }),
  "learning.rate": float(0.1, { min: 1e-7, max: Number.POSITIVE_INFINITY }),
  calls: integer(0, { min: 0, max: 2n ** 60n, step: 1 }),
  model: string(
    "gpt",
    { pattern: "^[a-z\"'\\\\]", max_length: 64 },
    { description: 'Which model answers:\n"gpt" or another.' },
  ),
  class: string("none"),
  paused: boolean(false),
  phase: choice(["warm-up", "main"], "warm-up", { description: "What is done now." }),
  _log_level: choice(
    ["trace", "debug", "info", "warning", "error", "critical", "silent", 'as "ever"', "2 lines\nof it"],
    "info",
  ),
  plan: json({ steps: [] }),
  température: float(0),
});
