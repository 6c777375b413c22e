/** The variables that the two halves of the demo share. The bridge enforces the limits, whoever writes. */
import { boolean, defineVariables, float, integer, string } from "../client/index.js";

/** Set by the TypeScript host (or by you, with the command line), read by the worker. */
const settings = {
  learning_rate: float(0.05, { min: 0.001, max: 1 }, { description: "How far one step may go" }),
  target: float(1, { min: -2, max: 2 }, { description: "The minimum lies at x = target, y = target²" }),
  paused: boolean(false, { description: "The worker waits while this is true" }),
};

/** Set by the worker, several in one commit; read by the host. */
const results = {
  step: integer(0, { min: 0 }, { description: "How many steps were made" }),
  loss: float(0, { min: 0 }, { description: "The function's value at x, y" }),
  x: float(-1.2),
  y: float(1),
  phase: string("starting", { pattern: "^(starting|running|paused)$" }, { description: "What it does now" }),
};

/** Only with --once: what the two sides need to test each other. */
const testing = {
  ping: integer(0, {}, { description: "Python asks" }),
  pong: integer(0, {}, { description: "TypeScript answers with the same number" }),
  checks: string("", {}, { description: "What the worker's own checks gave, as JSON" }),
};

export const variables = defineVariables({ ...settings, ...results });
export const testVariables = defineVariables({ ...settings, ...results, ...testing });

export type SettingName = keyof typeof settings;
export const SETTING_NAMES = Object.keys(settings) as SettingName[];
export const ALL_NAMES = Object.keys(variables);
