/**
 * Watches that stand still in a black hole while much is committed: what waits for them at the bridge is bounded, and so is its
 * memory (P9).
 */
import { readFileSync } from "node:fs";
import { MOST_WAITING_BYTES } from "../../../packages/bridge/src/core/told-queue.js";
import { ToxicProxy } from "../toxic-proxy.js";
import { KilledBridge } from "./bridge.js";
import { beginSession, SESSION, writePairs } from "./pairs.js";
import { Player } from "./player.js";
import { BLACK_HOLE, lay, lift } from "./weather.js";

const MIB = 1_048_576;
/** What is committed each time is many times what may wait. */
const COMMITS = 1_000;
const COMMIT_BYTES = 65_536;
const WATCHES = ["1"];
/** What may wait for the watches, and what is on the way on their connection (`doors/grpc/channel.ts`), in MiB. */
const CAPS_MIB = (WATCHES.length * MOST_WAITING_BYTES) / MIB + 1;
/** What the collector may not have looked at yet, in MiB. */
const SLACK_MIB = 48;
/** So much the bridge may have for objects: more than it takes, and less than is committed. It ends where that is not enough. */
const HEAP_MIB = 56;

export interface FrozenReport {
  /** The most memory that the bridge ever had, in MiB: before there were watches, and when they had stood still. */
  readonly controlMiB: number;
  readonly frozenMiB: number;
  /** By how much it may grow, in MiB. */
  readonly allowedMiB: number;
  /** How much was committed while they stood still, in MiB: all of which would wait if there were no bounds. */
  readonly committedMiB: number;
  /** The reasons why the watches could not be told the rest afterwards. */
  readonly gaps: readonly string[];
}

export async function playFrozen(): Promise<FrozenReport> {
  const bridge = await KilledBridge.start(["env", `NODE_OPTIONS=--max-old-space-size=${HEAP_MIB}`]);
  const proxy = await ToxicProxy.start(bridge.port);
  let player: Player | undefined;
  try {
    await beginSession(bridge);
    // The same twice, so that it has the memory that the work itself takes.
    await writePairs(bridge, COMMITS, COMMIT_BYTES);
    const controlMiB = mostMiB(bridge.pid);
    const gaps: string[] = [];
    let tell = (): void => {};
    const told = new Promise<void>((resolve) => {
      tell = resolve;
    });
    player = new Player("typescript", proxy.address, SESSION, (line) => {
      if (line.tells === "gap") gaps.push(line.reason);
      if (gaps.length === WATCHES.length) tell();
    });
    for (const watch of WATCHES) await player.do({ do: "watch", watch, names: [] });
    // Its program stands still as well, or it would give the connection up after 5 s, and what waits with it.
    lay(proxy, BLACK_HOLE);
    player.signal("SIGSTOP");
    await writePairs(bridge, COMMITS, COMMIT_BYTES);
    const frozenMiB = mostMiB(bridge.pid);
    lift(proxy);
    proxy.cut();
    player.signal("SIGCONT");
    await Promise.race([told, player.failed]);
    const committedMiB = (COMMITS * COMMIT_BYTES) / MIB;
    return { controlMiB, frozenMiB, allowedMiB: CAPS_MIB + SLACK_MIB, committedMiB, gaps };
  } finally {
    await player?.end();
    await proxy.close();
  }
}

/** The most that was ever resident of a process. */
function mostMiB(pid: number): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return Math.round(Number(kibibytes) / 1_024);
}
