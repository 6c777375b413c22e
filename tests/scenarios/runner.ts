/** Plays stories with any cast of clients, against a real bridge, and judges all of them alike. */
import type { Json, JsonObject } from "../vectors/files.js";
import type { Answer, Driver } from "./driver.js";
import { factsIn, faultsOf } from "./judge.js";
import { type Server, startOwn } from "./servers.js";
import type { Outcome, Step, Story } from "./stories.js";

/** How much was played. */
export interface Counts {
  readonly scenarios: number;
  readonly steps: number;
  readonly checks: number;
}

/** Who plays: the first actor of a story is played by the first driver, and so on, round and round. */
export interface Cast {
  readonly name: string;
  readonly drivers: readonly Driver[];
}

/** Plays a story to its end; fails with the step that went otherwise. */
export async function play(story: Story, cast: Cast, shared: Server): Promise<Counts> {
  const server = story.bridge === undefined ? shared : await startOwn(story.bridge);
  const stage = new Stage(story, cast, server);
  try {
    let checks = 0;
    for (const [i, step] of story.steps.entries()) {
      const faults = await stage.perform(step);
      if ("gives" in step || "fails" in step) checks += factsIn(step);
      if (faults.length === 0) continue;
      const where = `${story.id}, step ${i + 1} of ${story.steps.length}, played by ${cast.name}`;
      throw new Error(`${where}\n${faults.join("\n")}\nthe step: ${JSON.stringify(step)}`);
    }
    stage.finish();
    return { scenarios: 1, steps: story.steps.length, checks };
  } finally {
    await stage.clear();
    if (server !== shared) await server.end();
  }
}

export function sum(counts: readonly Counts[]): Counts {
  const total = (key: keyof Counts): number => counts.reduce((all, each) => all + each[key], 0);
  return { scenarios: total("scenarios"), steps: total("steps"), checks: total("checks") };
}

class Stage {
  readonly #story: Story;
  readonly #cast: Cast;
  readonly #server: Server;
  readonly #begunMs: number | undefined;
  readonly #open = new Set<string>();
  readonly #later = new Map<string, Promise<Answer>>();
  /** The point of what each actor wrote last. */
  readonly #points = new Map<string, string>();
  #isFrozen = false;

  constructor(story: Story, cast: Cast, server: Server) {
    this.#story = story;
    this.#cast = cast;
    this.#server = server;
    this.#begunMs = server.wallMs;
  }

  /** Takes a step, and tells what went otherwise than expected. */
  async perform(step: Step): Promise<string[]> {
    if ("advanceMs" in step) return this.#done(this.#server.advance(step.advanceMs));
    if ("bridge" in step) {
      this.#isFrozen = step.bridge === "freeze";
      return this.#done(this.#server.move(step.bridge));
    }
    if ("await" in step) {
      const answer = this.#later.get(step.await);
      this.#later.delete(step.await);
      return answer === undefined ? [`nothing is called ${step.await}`] : this.#judge(step, await answer);
    }
    const answer = this.#call(step.actor, step.do, step.with ?? {});
    if (!("later" in step)) return this.#judge(step, await answer);
    // Whoever awaits it is told; until then it is nobody's.
    answer.catch(() => {});
    this.#later.set(step.later, answer);
    return [];
  }

  /** Fails if the story does not say how something ended. */
  finish(): void {
    if (this.#later.size > 0) throw new Error(`nothing awaits ${[...this.#later.keys()].join(", ")}`);
  }

  /** Lets go of the actors, and leaves the bridge as it was. */
  async clear(): Promise<void> {
    if (this.#isFrozen) await this.#server.move("thaw");
    await Promise.all([...this.#open].map((actor) => this.#driverOf(actor).forget([this.#keyOf(actor)])));
  }

  async #done(work: Promise<void>): Promise<string[]> {
    await work;
    return [];
  }

  async #call(actor: string, method: string, given: JsonObject): Promise<Answer> {
    const driver = this.#driverOf(actor);
    const key = this.#keyOf(actor);
    if (!this.#open.has(actor)) {
      this.#open.add(actor);
      const { session = "main", strict = false, live = false } = this.#story.actors[actor] ?? {};
      await driver.open(key, { session: this.#idOf(session), address: this.#server.address, strict, live });
    }
    const { source, after } = given;
    const answer = await driver.attempt(key, method, {
      ...given,
      ...(source === undefined ? {} : { source: this.#languageOf(source) }),
      ...(method === "read" && after !== undefined ? { after: this.#pointOf(after) } : {}),
    });
    const written = (answer.gives as JsonObject | null | undefined)?.["point"];
    if (typeof written === "string") this.#points.set(actor, written);
    return answer;
  }

  /** The point of what an actor wrote last, or a text that is none. */
  #pointOf(after: Json): Json {
    return this.#points.get(after as string) ?? after;
  }

  #judge(expected: Outcome, answer: Answer): string[] {
    return faultsOf(
      this.#translated(expected as unknown as JsonObject) as unknown as Outcome,
      this.#timed(answer as JsonObject) as Answer,
    );
  }

  /** What is expected, where it names an actor for a language or a session by its name here. */
  #translated(expected: Json): Json {
    return mapped(expected, (key, value) => {
      if (key === "source") return this.#languageOf(value);
      return key === "session" ? this.#idOf(value as string) : value;
    });
  }

  /** What was given, with times counted from the beginning of the story, where a story can know them. */
  #timed(actual: Json): Json {
    return mapped(actual, (key, value) => {
      if (!TIMES.has(key) || this.#begunMs === undefined) return value;
      return (value as number) - this.#begunMs;
    });
  }

  #driverOf(actor: string): Driver {
    const place = Object.keys(this.#story.actors).indexOf(actor);
    if (place < 0) throw new Error(`${this.#story.id}: nobody is called ${actor}`);
    return this.#cast.drivers[place % this.#cast.drivers.length] as Driver;
  }

  #keyOf(actor: string): string {
    return `${this.#story.id}, ${this.#cast.name}: ${actor}`;
  }

  #idOf(session: string): string {
    return `${this.#story.id}, ${this.#cast.name}: ${session}`;
  }

  /** What an actor's writes are noted as; other words stand for themselves. */
  #languageOf(source: Json): Json {
    return typeof source === "string" && Object.hasOwn(this.#story.actors, source)
      ? this.#driverOf(source).source
      : source;
  }
}

const TIMES: ReadonlySet<string> = new Set(["created_at", "updated_at", "set_at", "at"]);

/** The same with some values replaced, by their keys. */
function mapped(json: Json, change: (key: string, value: Json) => Json): Json {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map((part) => mapped(part, change));
  const entries = Object.entries(json).map(([key, value]) => [key, change(key, mapped(value, change))]);
  return Object.fromEntries(entries) as JsonObject;
}
