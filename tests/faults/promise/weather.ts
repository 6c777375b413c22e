/** What happens on the way to the bridge until it is killed, drawn at random: the toxics of `toxics.ts`, one or two at a time. */
import { below, type Random } from "../../crash/random.js";
import type { ToxicProxy } from "../toxic-proxy.js";
import type { Direction, Toxic } from "../toxics.js";

export interface Weather {
  readonly name: string;
  /** Whether hardly anything is answered while it lasts, so that it ends with the bridge that is killed. */
  readonly isDead: boolean;
  readonly laid: readonly { readonly direction: Direction; readonly toxic: Toxic }[];
}

const BOTH: readonly Direction[] = ["up", "down"];

const KINDS: readonly ((random: Random) => Weather)[] = [
  () => ({ name: "clear", isDead: false, laid: [] }),
  (random) => both("latency", { kind: "latency", ms: below(15, random), jitterMs: below(40, random) }),
  (random) => both("slicer", { kind: "slices", bytes: 1 + below(40, random) }),
  (random) => both("bandwidth", { kind: "bandwidth", bytesPerSecond: 60_000 + below(100_000, random) }),
  (random) => both("slow close", { kind: "slowClose", ms: 100 + below(400, random) }),
  (random) => ({ ...cutsAtRandom(random), name: "cuts at random bytes" }),
  (random) => ({
    name: "a cut at a byte",
    // Of every connection, so that nobody comes further than that.
    isDead: true,
    laid: [
      {
        direction: BOTH[below(2, random)] ?? "up",
        toxic: {
          kind: "cutAfter",
          bytes: 200 + below(8_000, random),
          how: random() < 0.5 ? "reset" : "close",
        },
      },
    ],
  }),
  () => both("half-open", { kind: "silence", of: "standing" }, true),
  (random) => ({
    name: "half-open one way",
    isDead: true,
    laid: [{ direction: BOTH[below(2, random)] ?? "up", toxic: { kind: "silence", of: "standing" } }],
  }),
  () => BLACK_HOLE,
  () => both("reset", { kind: "reset" }, true),
];

export const BLACK_HOLE = both("black hole", { kind: "silence", of: "all" }, true);

function both(name: string, toxic: Toxic, isDead = false): Weather {
  return { name, isDead, laid: BOTH.map((direction) => ({ direction, toxic })) };
}

function cutsAtRandom(random: Random): Omit<Weather, "name"> {
  const toxic = (below: number): Toxic => ({
    kind: "cutAtRandom",
    below,
    seed: Math.floor(random() * 2 ** 31),
    times: 4,
  });
  return {
    isDead: false,
    laid: [
      { direction: "up", toxic: toxic(5_000) },
      { direction: "down", toxic: toxic(60_000) },
    ],
  };
}

/** Draws an order in which all kinds come before any comes again. */
export function* weathers(random: Random): Generator<Weather, never> {
  for (;;) {
    const left = [...KINDS];
    while (left.length > 0) {
      const [kind] = left.splice(below(left.length, random), 1);
      if (kind !== undefined) yield kind(random);
    }
  }
}

/** Lays all of it. What was laid before is lifted. */
export function lay(proxy: ToxicProxy, { laid }: Weather): void {
  lift(proxy);
  for (const { direction, toxic } of laid) proxy.lay(direction, direction, toxic);
}

export function lift(proxy: ToxicProxy): void {
  for (const direction of BOTH) proxy.lift(direction);
}
