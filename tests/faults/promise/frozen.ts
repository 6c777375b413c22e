/**
 * Watchers that stand still in a black hole while much is committed: what waits for them at the bridge is bounded, and so is its
 * memory (P9).
 */
import { readFileSync } from "node:fs";
import { MOST_WAITING_BYTES } from "../../../packages/bridge/src/core/told-queue.js";
import { Stage } from "./stage.js";
import { standsAt, watchesOf, watchFaults } from "./watches.js";
import { BLACK_HOLE, lay, lift } from "./weather.js";

const MIB = 1_048_576;
/** What is committed, each time: many times what may wait. */
const COMMITS = 5_000;
const COMMIT_BYTES = 32_768;
const AT_A_TIME = 100;
/** Each program has two watches, and all that is told of one connection waits once more on its way (`doors/grpc/channel.ts`). */
const CAPS_BYTES = 3 * (2 * MOST_WAITING_BYTES + 8 * MIB + MIB / 2);
/** What the caps are allowed beyond the texts themselves: objects, and what the collector has not looked at yet. */
const FACTOR = 1.25;

export interface FrozenReport {
  /** The most memory that the bridge had, in MiB: without watchers, and with watchers that stand still. */
  readonly controlMiB: number;
  readonly frozenMiB: number;
  readonly mostMiB: number;
  /** How much was committed while they stood still, in MiB. */
  readonly committedMiB: number;
  /** How many events the watchers that stood still had been told by then. */
  readonly told: number;
  readonly faults: readonly string[];
}
