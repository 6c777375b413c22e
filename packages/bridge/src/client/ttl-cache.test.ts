/** What the vectors of `spec/vectors/client/ttl-cache.json` leave: what only TypeScript asks, and a model of random steps. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { type CachedVariable, type Fetch, TtlCache } from "./ttl-cache.js";

const variable = (name: string, revision: number, value = revision, incarnation = ""): CachedVariable => ({
  name,
  id: `var_${name}_1`,
  type: "float",
  value,
  version: 1,
  revision: { incarnation, number: revision, check: 0n },
});

test("an answer may be wanted younger than the TTL, and stays for those who do not", () => {
  const cache = new TtlCache(1_000);
  cache.store(variable("x", 1), cache.begin(0), 0);
  expect(cache.lookUp("x", 500, 499)).toBeUndefined();
  expect(cache.lookUp("x", 500, 500)).toMatchObject({ ageMs: 500 });
  expect(cache.lookUp("x", 1_000, 5_000)).toBeUndefined();
  expect(cache.counts(1_000)).toEqual({ hits: 1, misses: 2, evictions: 1, size: 0 });
});

test("a call may be joined as long as its answer would be found", () => {
  const cache = new TtlCache(1_000);
  const fetch = cache.begin(0);
  expect(cache.mayJoin("x", fetch, 999)).toBe(true);
  expect(cache.mayJoin("x", fetch, 1_000)).toBe(false);
  expect(cache.mayJoin("x", fetch, 500, 500)).toBe(true);
  expect(cache.mayJoin("x", fetch, 500, 499)).toBe(false);
  cache.invalidate("y");
  expect(cache.mayJoin("x", fetch, 0)).toBe(true);
  cache.invalidate("var_x_1");
  expect(cache.mayJoin("x", fetch, 0)).toBe(false);
  cache.setTtl(0);
  expect(cache.mayJoin("x", cache.begin(0), 0)).toBe(false);
});

test("what is no time is refused at the beginning too", () => {
  for (const ttlMs of [-1, Number.NaN]) expect(() => new TtlCache(ttlMs)).toThrow(RangeError);
});

// ---- against a model: what the cache answers must be true, not older than the TTL, and must not go back

const NAMES = ["a", "b", "c"] as const;

/** A bridge with three variables and a client with a cache, in a time that only steps move. */
class World {
  readonly cache: TtlCache;
  readonly #ttlMs: number;
  #now = 0;
  #revision = 1;
  #life = 0;
  /** For each name, since when each value was true; the value is the place in the list. */
  readonly #since = new Map<string, number[]>(NAMES.map((name) => [name, [0]]));
  readonly #underWay: { answer: CachedVariable; fetch: Fetch; life: number; isWrite: boolean }[] = [];
  /** The newest own value that was acknowledged. */
  readonly #own = new Map<string, number>();
  readonly #forgotten = new Map<string, number>();
  /** The newest value that was read of a name in a life of the session. */
  readonly #read = new Map<string, number>();

  constructor(ttlMs: number, room: number) {
    this.#ttlMs = ttlMs;
    this.cache = new TtlCache(ttlMs, room);
  }

  change(name: string): void {
    this.#revision++;
    this.#since.get(name)?.push(this.#now);
  }

  ask(name: string, isWrite = false): void {
    const fetch = this.cache.begin(this.#now);
    if (isWrite) this.change(name);
    const answer = variable(
      name,
      this.#revision,
      (this.#since.get(name)?.length ?? 0) - 1,
      String(this.#life),
    );
    this.#underWay.push({ answer, fetch, life: this.#life, isWrite });
  }

  land(which: number): void {
    const [landed] = this.#underWay.splice(which % Math.max(1, this.#underWay.length), 1);
    if (landed === undefined) return;
    const { answer, fetch, life, isWrite } = landed;
    const { name, value } = answer;
    this.cache.observe(String(life));
    if (!isWrite) return this.cache.store(answer, fetch, this.#now);
    this.cache.invalidate(name);
    if (life === this.#life) this.#own.set(name, Math.max(this.#own.get(name) ?? 0, Number(value)));
  }

  forget(name?: string): void {
    this.cache.invalidate(name);
    for (const each of name === undefined ? NAMES : [name]) this.#forgotten.set(each, this.#now);
  }

  beginAnotherLife(): void {
    this.#life++;
    this.#revision = 1;
    this.#own.clear();
    for (const since of this.#since.values()) since.push(this.#now);
  }

  wait(ms: number): void {
    this.#now += ms;
  }

  check(name: string): void {
    const hit = this.cache.lookUp(name, this.#now);
    if (hit === undefined) return;
    const value = Number(hit.variable.value);
    const replaced = this.#since.get(name)?.[value + 1] ?? Number.POSITIVE_INFINITY;
    expect(hit.ageMs).toBeLessThan(this.#ttlMs);
    const ofThisLife = `${name} ${hit.variable.revision.incarnation}`;
    expect(value).toBeGreaterThanOrEqual(this.#read.get(ofThisLife) ?? 0);
    this.#read.set(ofThisLife, value);
    // Still true at some moment since the call began.
    expect(replaced).toBeGreaterThanOrEqual(this.#now - hit.ageMs);
    expect(value).toBeGreaterThanOrEqual(this.#own.get(name) ?? 0);
    expect(this.#now - hit.ageMs).toBeGreaterThanOrEqual(this.#forgotten.get(name) ?? 0);
  }

  counts(): { readonly looks: number; readonly hits: number; readonly size: number } {
    const { hits, misses, size } = this.cache.counts(this.#now);
    return { looks: hits + misses, hits, size };
  }
}

const name = fc.constantFrom(...NAMES);
const then = <T>(weight: number, of: fc.Arbitrary<T>, take: (world: World, what: T) => void) => ({
  weight,
  arbitrary: of.map((what) => (world: World) => take(world, what)),
});
const step = fc.oneof(
  then(3, name, (world, each) => world.change(each)),
  then(6, name, (world, each) => world.ask(each)),
  then(2, name, (world, each) => world.ask(each, true)),
  then(9, fc.nat({ max: 3 }), (world, which) => world.land(which)),
  then(2, fc.constantFrom(250, 500, 1_000), (world, ms) => world.wait(ms)),
  then(1, fc.option(name, { nil: undefined }), (world, each) => world.forget(each)),
  then(1, fc.constant(undefined), (world) => world.beginAnotherLife()),
);

test("[ORD-21 accepts] what the cache answers is true, young and no older than an own write, whatever overtakes what", () => {
  let hits = 0;
  const world = fc.record({
    steps: fc.array(step, { maxLength: 40, size: "max" }),
    room: fc.constantFrom(1, 2, 10),
    ttlMs: fc.constantFrom(0, 1_000, 2_000),
  });
  const property = fc.property(world, ({ steps, room, ttlMs }) => {
    const subject = new World(ttlMs, room);
    for (const take of steps) {
      take(subject);
      for (const each of NAMES) subject.check(each);
    }
    const counts = subject.counts();
    expect(counts.size).toBeLessThanOrEqual(room);
    expect(counts.looks).toBe(steps.length * NAMES.length);
    hits += counts.hits;
  });
  fc.assert(property, { numRuns: 500 });
  // Else nothing was looked at.
  expect(hits).toBeGreaterThan(1_000);
});
