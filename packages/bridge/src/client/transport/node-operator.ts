/**
 * Whoever operates a process: notices are published on the channel `snakepit-bridge` of Node's `diagnostics_channel`, where they
 * cost nothing while nobody listens, and warnings are those of the process.
 */
import { channel } from "node:diagnostics_channel";
import type { Operator } from "../operator.js";

const notices = channel("snakepit-bridge");

export const nodeOperator: Operator = {
  notice(notice) {
    if (notices.hasSubscribers) notices.publish(notice);
  },
  warn(warning) {
    process.emitWarning(warning);
  },
};
