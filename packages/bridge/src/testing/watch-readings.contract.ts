/** What one test's watches were told, and what was committed meanwhile. */
import { toText } from "../client/points.js";
import { DEFAULT_LIMITS } from "../core/limits.js";
import { Refusal } from "../core/refusal.js";
import { filterOf, type Watch } from "../core/watch.js";
import type { CommitRecord } from "../storage/record.js";
import { madeOf } from "./watch-forms.contract.js";
import { checkReading, type Made, type Reading, type Step, type Truth } from "./watch-validators.contract.js";

/** A watch that is under way, and what it was told so far. */
export class OpenReading {
  readonly watch: Watch;
  readonly steps: Step[] = [];
  /** How much had happened to its session when it was asked for. */
  readonly from: number;
  #to: number | undefined;
  readonly #now: () => number;
  /** True: it was lost or too slow, and was begun again. */
  wasCut = false;
  /** Where its reader stands in the end; undefined if nobody can say. */
  lastPoint: () => string | undefined = () => undefined;

  /** @param now how much has happened to its session */
  constructor(watch: Watch, now: () => number) {
    this.watch = watch;
    this.#now = now;
    this.from = now();
  }

  /** Notes down what it is told next. */
  step(step: Step): void {
    this.#to ??= this.#now();
    this.steps.push(step);
  }

  /** How much had happened when it was first told something. */
  get to(): number {
    return this.#to ?? this.from;
  }

  ended(maxBytes: number, begun: Reading["begun"]): Reading {
    const { watch, steps, wasCut } = this;
    const filter = filterOf(watch, DEFAULT_LIMITS);
    if (filter instanceof Refusal) throw new Error(`a watch that makes no sense was told: ${filter.message}`);
    const point = this.lastPoint();
    return {
      ...(watch.after === undefined ? {} : { after: toText(watch.after) }),
      begun,
      steps: point === undefined || point === steps.at(-1)?.point ? steps : [...steps, { point }],
      wants: filter.wants,
      wasCut,
      maxBytes,
    };
  }
}

/** A commit, or the end of all that a store had. */
interface Happening {
  readonly store: object;
  readonly what: CommitRecord | "gone";
}

export class Witness {
  readonly #readings: OpenReading[] = [];
  /** What stores of this process were given, by session. */
  readonly #happened = new Map<string, Happening[]>();
  /** The sessions of each store. */
  readonly #sessions = new Map<object, Set<string>>();
  readonly #known = new Map<string, Truth>();
  #maxBytes = DEFAULT_LIMITS.maxMessageBytes;

  /** Begins to note down what a watch is told. */
  begin(watch: Watch): OpenReading {
    const happened = this.#of(watch.sessionId);
    const reading = new OpenReading(watch, () => happened.length);
    this.#readings.push(reading);
    return reading;
  }

  /** A store was given commits. */
  keeps(store: object, records: readonly CommitRecord[]): void {
    const ids = this.#sessions.get(store) ?? new Set();
    this.#sessions.set(store, ids);
    for (const what of records) {
      ids.add(what.commit.sessionId);
      this.#of(what.commit.sessionId).push({ store, what });
    }
  }

  /** All that a store had is gone. */
  forgets(store: object): void {
    for (const id of this.#sessions.get(store) ?? []) this.#of(id).push({ store, what: "gone" });
    this.#sessions.delete(store);
  }

  /** What happened to a session of a bridge in another process. */
  knows(sessionId: string, truth: Truth): void {
    this.#known.set(sessionId, truth);
  }

  /** A bridge of this test has messages of at most so many bytes. */
  limits(maxBytes: number): void {
    this.#maxBytes = Math.min(this.#maxBytes, maxBytes);
  }

  /** Holds everything that was told against what happened. */
  check(): void {
    for (const reading of this.#readings) {
      if (reading.steps.length === 0) continue;
      const known = this.#known.get(reading.watch.sessionId);
      const happened = known === undefined ? this.#seenFrom(reading) : [];
      const before = (place: number): number => happened.filter((each) => each.place < place).length;
      const begun =
        known === undefined ? { from: before(reading.from), to: before(reading.to) } : AT_ANY_TIME;
      checkReading(known ?? happened.map(({ made }) => made), reading.ended(this.#maxBytes, begun));
    }
  }

  /** What happened in the stores that a reading is of: there may be several bridges with sessions of the same name. */
  #seenFrom({ watch, steps }: OpenReading): { readonly place: number; readonly made: Truth[number] }[] {
    const points = new Set(
      steps.flatMap(({ event, point }) => [event?.commit, point].filter((each) => each !== undefined)),
    );
    const happened = this.#of(watch.sessionId).map(({ store, what }, place) => ({
      store,
      place,
      made: this.#made(what),
    }));
    const isSeen = ({ made }: { made: Truth[number] }): boolean => made !== "gone" && points.has(made.point);
    const stores = new Set(happened.filter(isSeen).map(({ store }) => store));
    return points.size === 0 ? happened : happened.filter(({ store }) => stores.has(store));
  }

  readonly #mades = new WeakMap<CommitRecord, Made>();

  #made(what: CommitRecord | "gone"): Truth[number] {
    if (what === "gone") return what;
    const made = this.#mades.get(what) ?? madeOf(what);
    this.#mades.set(what, made);
    return made;
  }

  #of(sessionId: string): Happening[] {
    const happened = this.#happened.get(sessionId) ?? [];
    this.#happened.set(sessionId, happened);
    return happened;
  }
}

/** When a session of a bridge in another process was at a point is not known. */
const AT_ANY_TIME = { from: 0, to: Number.POSITIVE_INFINITY };
