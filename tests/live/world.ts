/**
 * Programs that share one session over bad links, in virtual time. Whatever happens, each of them is held to what was really
 * committed (`oracle.ts`):
 *
 * - a copy is, at the revision where it says that it stands, exactly what the session was there (ORD-4, ORD-6);
 * - a copy that is read from without a mark is not behind a reply that was given before (ORD-2);
 * - what a program reads was so at the revision that it is told, never goes back, and has its own writes (ORD-1);
 * - what is written together is read together (ORD-8);
 * - while nothing is heard for long, nothing is read without a mark (ORD-1, ORD-10);
 * - when links are well again, all copies come to what is there now.
 */
import { setImmediate } from "node:timers/promises";
import { Calls } from "../../packages/bridge/src/client/calls.js";
import { LiveReads } from "../../packages/bridge/src/client/live-reads.js";
import { OwnCalls } from "../../packages/bridge/src/client/own-calls.js";
import { PinnableReads } from "../../packages/bridge/src/client/pinnable-reads.js";
import { Pins } from "../../packages/bridge/src/client/pins.js";
import { toPoint } from "../../packages/bridge/src/client/points.js";
import { ServerReads } from "../../packages/bridge/src/client/reads.js";
import type { Replica } from "../../packages/bridge/src/client/replica.js";
import { Replicas } from "../../packages/bridge/src/client/replicas.js";
import { Session } from "../../packages/bridge/src/client/session.js";
import { SessionStore } from "../../packages/bridge/src/client/session-store.js";
import type { Revision } from "../../packages/bridge/src/core/commands.js";
import { BridgeError, InternalError } from "../../packages/bridge/src/core/errors.js";
import type { Engine } from "../../packages/bridge/src/engine/engine.js";
import { MemoryStore } from "../../packages/bridge/src/storage/memory/memory-store.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import { Bench } from "../../packages/bridge/src/testing/bench.contract.js";
import { FaultyStore } from "../../packages/bridge/src/testing/faulty-store.contract.js";
import { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";
import { HEARTBEAT_MS, SILENCE_MS, SimulatedLink, type Tampering } from "./link.js";
import { Oracle } from "./oracle.js";

/** What programs set one by one, and what is always set together. */
export const SINGLES = ["a", "b"] as const;
export const PAIR = ["x", "y"] as const;

export type Step =
  | { readonly do: "set"; readonly who: number; readonly name: (typeof SINGLES)[number] }
  | { readonly do: "read" | "readFromServer"; readonly who: number; readonly name: (typeof SINGLES)[number] }
  | { readonly do: "setPair" | "drop" | "readPair" | "readAfter"; readonly who: number }
  | { readonly do: "end" | "create"; readonly who: number }
  | { readonly do: "cut" | "halfOpen" | "down" | "up"; readonly who: number }
  | { readonly do: "slow"; readonly who: number; readonly ms: number }
  | { readonly do: "hold" | "release" | "restart" }
  | { readonly do: "wait"; readonly ms: number };

const SESSION = "shared";
/** After this time on a link that is well, whatever was under way has ended. */
const SETTLED_MS = 40_000;
const LOOK_MS = 20;

/** Something that must not be. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export class World {
  readonly clock = new ManualClock();
  readonly oracle = new Oracle();
  readonly programs: Program[] = [];
  #store = new FaultyStore(new MemoryStore());
  #engine: Engine = this.#newEngine();
  #value = 0;
  /** The point of the write that was acknowledged last, whoever made it. */
  acknowledged: string | undefined;
  /** Its place, and of all before it the latest. */
  acknowledgedPlace = 0;
  readonly seen = new Map<string, number>();

  constructor(count: number, tampering: Tampering = {}) {
    for (let i = 0; i < count; i++) this.programs.push(new Program(this, tampering));
  }

  /** Lets the session and its variables be there. */
  async begin(): Promise<void> {
    const [program] = this.programs;
    for (const step of [
      { do: "create" },
      { do: "set", name: "a" },
      { do: "set", name: "b" },
      { do: "setPair" },
    ] as const)
      program?.take({ ...step, who: 0 });
    await this.wait(100);
  }

  get engine(): Engine {
    return this.#engine;
  }

  get records(): readonly CommitRecord[] {
    return this.#store.records;
  }

  #newEngine(): Engine {
    return new Bench({ store: this.#store, clock: this.clock, defaultTtlMs: 0 }).engine;
  }

  /** A value that was never written before. */
  nextValue(): number {
    return ++this.#value;
  }

  note(what: string): void {
    this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
  }

  async take(step: Step): Promise<void> {
    this.note(step.do);
    if ("who" in step) (this.programs[step.who % this.programs.length] as Program).take(step);
    else if (step.do === "wait") return this.wait(step.ms);
    else if (step.do === "hold") this.#store.holding = true;
    else if (step.do === "release") this.#release();
    else await this.#restart();
    await this.look();
  }

  #release(): void {
    this.#store.holding = false;
    this.#store.release();
  }

  /** The bridge ends with all that it had, and another one begins. */
  async #restart(): Promise<void> {
    this.#release();
    await this.look();
    this.#store = new FaultyStore(new MemoryStore());
    this.#engine = this.#newEngine();
    this.oracle.restart();
    for (const { link } of this.programs) link.cut();
  }

  /** Lets time pass, looking at everything every so often. */
  async wait(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= LOOK_MS) {
      this.clock.advance(Math.min(LOOK_MS, left));
      await this.look();
    }
  }

  /** Lets happen what can happen at this moment, and looks at all copies. */
  async look(): Promise<void> {
    await setImmediate();
    this.oracle.take(this.#store.records);
    for (const program of this.programs) program.check();
  }

  /** Makes all links well again, and holds everybody to what is there now. */
  async settle(): Promise<void> {
    this.#release();
    for (const { link } of this.programs) {
      link.cut();
      link.goUp();
    }
    for (let left = SETTLED_MS; left > 0; left -= 500) {
      this.clock.advance(500);
      await this.look();
    }
    for (const program of this.programs) program.checkSettled();
  }
}

export class Program {
  readonly link: SimulatedLink;
  readonly #world: World;
  readonly #sessions: SessionStore;
  readonly #session: Session;
  readonly #replica: Replica;
  #delayMs = 1;
  /** Where the last thing stands that it was told in an answer, and that it wrote. */
  #floor = 0;
  /** Where the copy stood when it was looked at last. */
  #copyAt = 0;
  #checked = 0;
  #underWay = 0;
  readonly #faults: Error[] = [];

  constructor(world: World, tampering: Tampering) {
    this.#world = world;
    this.link = new SimulatedLink({
      clock: world.clock,
      engine: () => world.engine,
      records: () => world.records,
      delayMs: () => this.#delayMs,
      tampering: {
        ...tampering,
        reply: (reply) => {
          tampering.reply?.(reply);
          this.#checkReply("revision" in reply ? reply.revision : undefined);
        },
      },
    });
    const ownCalls = new OwnCalls();
    const replicas = new Replicas(this.link, ownCalls);
    const calls = new Calls(this.link, requestIds(), ownCalls);
    this.#sessions = new SessionStore(this.link, calls);
    const copy = replicas.use(SESSION);
    this.#replica = copy.following.replica;
    tampering.replicas?.push(this.#replica);
    const reads = new LiveReads({
      sessionId: SESSION,
      server: new ServerReads(SESSION, calls),
      maxStaleMs: 30_000,
      now: () => world.clock.now(),
      deadline: (options) => calls.deadline(options),
      ...copy,
    });
    this.#session = new Session({
      id: SESSION,
      definitions: undefined,
      strict: false,
      store: this.#sessions,
      calls,
      reads: new PinnableReads(reads, new Pins(undefined, () => world.clock.now()), () => this.link.turn()),
    });
    copy.following.begin();
  }

  take(step: Extract<Step, { readonly who: number }>): void {
    const session = this.#session;
    switch (step.do) {
      case "set":
        return this.#write(() => session.set(step.name, this.#world.nextValue()));
      case "setPair": {
        const value = this.#world.nextValue();
        return this.#write(() => session.setMany({ [PAIR[0]]: value, [PAIR[1]]: value }));
      }
      case "drop":
        return this.#run(async () => {
          await session.delete(SINGLES[0]);
        });
      case "read":
        return this.#read(() => session.read(step.name), step.name, this.#floor);
      case "readFromServer": {
        const floor = Math.max(this.#floor, this.#world.acknowledgedPlace);
        return this.#read(() => session.read(step.name, { bypassCache: true }), step.name, floor);
      }
      case "readAfter": {
        const after = this.#world.acknowledged;
        if (after === undefined) return;
        return this.#read(() => session.read(SINGLES[0], { after }), SINGLES[0], this.#floor, after);
      }
      case "readPair":
        return this.#run(async () => {
          const values = await session.getMany([...PAIR]);
          if (values[PAIR[0]] !== values[PAIR[1]])
            throw new Violation(`torn: ${JSON.stringify(values)} (ORD-8)`);
        });
      case "end":
        return this.#run(async () => {
          await this.#sessions.deleteSession(SESSION);
        });
      case "create":
        return this.#run(async () => {
          await this.#sessions.createSession(SESSION, { ttlMs: 0 });
        });
      case "cut":
        return this.link.cut();
      case "halfOpen":
        return this.link.halfOpen();
      case "down":
        return this.link.goDown();
      case "up":
        return this.link.goUp();
      case "slow":
        this.#delayMs = step.ms;
    }
  }

  #write(write: () => Promise<{ readonly point: string | undefined }>): void {
    this.#run(async () => {
      const { point } = await write();
      if (point === undefined) return;
      this.#world.acknowledged = point;
      const { place } = await this.#told(toPoint(point), "was told of its own write");
      this.#world.acknowledgedPlace = Math.max(this.#world.acknowledgedPlace, place);
    });
  }

  #read(
    read: () => Promise<{
      readonly value: unknown;
      readonly version: number;
      readonly point: string;
      readonly stale: boolean;
      readonly source: string;
    }>,
    name: string,
    floor: number,
    after?: string,
  ): void {
    this.#run(async () => {
      const { value, version, point, stale, source } = await read();
      this.#world.note(`read from the ${source}${stale ? ", stale" : ""}`);
      const moment = await this.#told(toPoint(point), `read ${name} from the ${source}`);
      const was = moment.state.get(name);
      if (was === undefined || was.value !== value || was.version !== version)
        throw new Violation(
          `${name} was ${was?.value} at ${point}, and ${value} was read from the ${source} (ORD-1)`,
        );
      if (moment.place < floor)
        throw new Violation(
          `the ${source} answered ${name} as of ${point}, and later was seen before (ORD-1)`,
        );
      const least = after === undefined ? undefined : toPoint(after);
      if (least?.incarnation === toPoint(point).incarnation && toPoint(point).number < least.number)
        throw new Violation(`read after ${after}, and answered as of ${point} (ORD-3)`);
    });
  }

  /** What it was told an answer is true at is what it must not go back behind. */
  async #told(revision: Revision, what: string) {
    // The oracle learns of a commit at the next look.
    await this.#world.look();
    const moment = this.#world.oracle.at(revision);
    if (moment === undefined)
      throw new Violation(`it ${what} at revision ${revision.number}, which never was`);
    this.#floor = Math.max(this.#floor, moment.place);
    return moment;
  }

  #run(work: () => Promise<void>): void {
    this.#underWay++;
    work()
      .catch((error: unknown) => {
        // What is refused, or not answered, is no violation.
        const isExpected = error instanceof BridgeError && !(error instanceof InternalError);
        if (!isExpected) this.#faults.push(error as Error);
      })
      .finally(() => this.#underWay--);
  }

  /** A copy that is read from without a mark has all that a reply is true at. */
  #checkReply(revision: Revision | undefined): void {
    const { isCurrent, revision: at } = this.#replica;
    if (!isCurrent || revision === undefined || at?.incarnation !== revision.incarnation) return;
    if (at.number < revision.number)
      this.#faults.push(
        new Violation(`a reply true at ${revision.number} came while the copy stood at ${at.number} (ORD-2)`),
      );
  }

  check(): void {
    const [fault] = this.#faults;
    if (fault !== undefined) throw fault;
    this.#checkSilence();
    const { revision, generation } = this.#replica;
    if (revision === undefined || generation === this.#checked) return;
    this.#checked = generation;
    if (revision.number === 0) {
      if (this.#replica.size > 0) throw new Violation("a copy of nothing has variables");
      return;
    }
    const moment = this.#world.oracle.at(revision);
    if (moment === undefined)
      throw new Violation(`a copy stands at ${revision.number}, which never was (ORD-4)`);
    if (moment.place < this.#copyAt) throw new Violation(`a copy went back to ${revision.number} (ORD-1)`);
    this.#copyAt = moment.place;
    this.#checkCopy(moment.state, `at revision ${revision.number}`);
  }

  #checkCopy(
    state: ReadonlyMap<string, { version: number; value: unknown; id: string }>,
    when: string,
  ): void {
    if (this.#replica.size !== state.size)
      throw new Violation(`a copy has ${this.#replica.size} variables ${when}, not ${state.size} (ORD-6)`);
    for (const [name, was] of state) {
      const has = this.#replica.find(name);
      if (has?.version !== was.version || has.value !== was.value || has.id !== was.id)
        throw new Violation(`a copy has ${name} = ${has?.value} ${when}, not ${was.value} (ORD-6)`);
    }
  }

  /** Silence is noticed in time. */
  #checkSilence(): void {
    const now = this.#world.clock.now();
    // A reply breaks the silence too, and a copy only knows of what it was told itself.
    if (this.#replica.isCurrent && (this.#replica.ageMs(now) ?? 0) > SILENCE_MS + HEARTBEAT_MS + LOOK_MS)
      throw new Violation(
        `a copy that heard nothing for ${this.#replica.ageMs(now)} ms is read from (ORD-1)`,
      );
  }

  checkSettled(): void {
    this.check();
    if (this.#underWay > 0) throw new Violation(`${this.#underWay} calls never ended`);
    if (!this.#replica.isCurrent) throw new Violation(`a copy is not current: ${this.#replica.reason}`);
    this.#checkCopy(this.#world.oracle.now, "in the end");
  }
}

let clients = 0;

function requestIds() {
  const clientId = (++clients).toString(16).padStart(32, "0");
  let sequence = 0;
  return () => ({ clientId, sequence: ++sequence });
}
