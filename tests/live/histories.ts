/** Random histories of a world, and what is made smaller of one that breaks a rule. */
import fc from "fast-check";
import type { Tampering } from "./link.js";
import { SINGLES, type Step, World } from "./world.js";

const PROGRAMS = 2;

const who = fc.nat({ max: PROGRAMS - 1 });
const by = <D extends Step["do"]>(weight: number, ...does: D[]) => ({
  weight,
  arbitrary: fc.record({ do: fc.constantFrom(...does), who }),
});
const named = <D extends Step["do"]>(weight: number, what: D) => ({
  weight,
  arbitrary: fc.record({ do: fc.constant(what), who, name: fc.constantFrom(...SINGLES) }),
});

const step = fc.oneof(
  named(8, "set"),
  named(8, "read"),
  named(2, "readFromServer"),
  by(4, "setPair"),
  by(4, "readPair"),
  by(2, "readAfter"),
  by(1, "drop"),
  by(1, "end"),
  by(2, "create"),
  by(3, "cut", "halfOpen"),
  by(1, "down"),
  by(2, "up"),
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant("slow" as const), who, ms: fc.constantFrom(0, 1, 30, 400) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom("hold" as const, "restart" as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("release" as const) }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant("wait" as const), ms: fc.constantFrom(1, 20, 150, 6_000) }),
  },
) as fc.Arbitrary<Step>;

const history = fc.array(step, { minLength: 5, maxLength: 40, size: "max" });

export interface Report {
  readonly histories: number;
  readonly seen: ReadonlyMap<string, number>;
  /** The smallest history that breaks a rule, and which; undefined: none does. */
  readonly failure: string | undefined;
}

/** Plays one history. Throws what breaks a rule. */
export async function play(steps: readonly Step[], tampering?: Tampering): Promise<World> {
  const world = new World(PROGRAMS, tampering);
  await world.begin();
  for (const each of steps) await world.take(each);
  await world.settle();
  return world;
}

export async function playMany(options: {
  readonly histories: number;
  readonly seed: number;
  tampering?(): Tampering;
}): Promise<Report> {
  const seen = new Map<string, number>();
  let count = 0;
  const property = fc.asyncProperty(history, async (steps) => {
    const world = await play(steps, options.tampering?.());
    count++;
    for (const [what, times] of world.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  });
  const { histories: numRuns, seed } = options;
  const found = await fc.check(property, { numRuns, seed, endOnFailure: false });
  const failure = found.failed
    ? `${String(found.errorInstance)}\nseed ${seed}, smallest history:\n${(found.counterexample?.[0] ?? [])
        .map((each) => JSON.stringify(each))
        .join("\n")}`
    : undefined;
  return { histories: count, seen, failure };
}
