/**
 * A link between a client and a bridge in virtual time: what is sent arrives in order and later, or never. It can be cut, which
 * both ends notice at once, and be half open, which nobody notices: then what is sent is lost.
 *
 * It does what a channel does (docs/decisions/0013): a command is decided in the order sent, what is told of a revision comes
 * before a reply that is true at it, and what was not answered when a stream ended is sent again on the next, in order.
 */

import type { Replica } from "../../packages/bridge/src/client/replica.js";
import { nodeOperator } from "../../packages/bridge/src/client/transport/node-operator.js";
import { nodeTurn } from "../../packages/bridge/src/client/transport/node-turn.js";
import { type Lost, type Rest, Resting } from "../../packages/bridge/src/client/transport/resting.js";
import {
  type CallOptions,
  type FollowReader,
  isWrite,
  type Transport,
} from "../../packages/bridge/src/client/transport/transport.js";
import type { Command, Reply, ReplyTo, Revision } from "../../packages/bridge/src/core/commands.js";
import { type BridgeError, errorFor, errorFrom } from "../../packages/bridge/src/core/errors.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import type { Follow, StateUpdate } from "../../packages/bridge/src/core/state-update.js";
import type { Engine } from "../../packages/bridge/src/engine/engine.js";
import { ANYONE } from "../../packages/bridge/src/engine/principal.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import type { ManualClock } from "../../packages/bridge/src/testing/manual-clock.js";

/** A client that hears nothing for so long gives the stream up, in milliseconds. */
export const SILENCE_MS = 5_000;
/** What a bridge says at least every so often. */
export const HEARTBEAT_MS = 2_000;
/** The pause before a new stream. */
const RECONNECT_MS = 100;

/** What may be done to what a bridge tells: tests of the tests put faults here. */
export interface Tampering {
  /** Takes up the copies that there are. */
  readonly replicas?: Replica[];
  /** What is told in the place of an update. */
  update?(update: StateUpdate, tell: (update: StateUpdate) => void): void;
  /** Where a subscription is resumed from in the place of where the client stands. */
  after?(after: Revision, records: readonly CommitRecord[]): Revision;
  /** Called with each reply, before its caller. */
  reply?(reply: Reply): void;
}

export interface LinkOptions {
  readonly clock: ManualClock;
  /** The bridge of the moment; undefined: there is none. */
  engine(): Engine;
  /** All that was committed at it. */
  records(): readonly CommitRecord[];
  /** How long the next message takes, in milliseconds. */
  delayMs(): number;
  readonly tampering: Tampering;
}

interface Pending {
  readonly command: Command;
  readonly deadline: number;
  settle(answer: Reply | BridgeError): void;
}

interface Following {
  readonly follow: Follow;
  readonly reader: FollowReader;
}

export class SimulatedLink implements Transport {
  readonly address = "simulated";
  readonly timeoutMs = 5_000;
  readonly clock: ManualClock;
  readonly operator = nodeOperator;
  readonly turn = nodeTurn;
  readonly #options: LinkOptions;
  readonly #resting: Resting;
  /** Not answered, in the order in which they were asked. */
  readonly #pending = new Set<Pending>();
  readonly #following = new Set<Following>();
  #stream: Stream | undefined;
  #cancelReconnect: (() => void) | undefined;
  /** True: no stream is opened. */
  #isDown = false;

  constructor(options: LinkOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.#resting = new Resting(options.clock, Math.random);
  }

  call<C extends Command>(command: C, options: CallOptions = {}): Promise<ReplyTo<C["kind"]>> {
    const { timeoutMs = this.timeoutMs } = options;
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        command,
        deadline: this.clock.now() + timeoutMs,
        settle: (answer) => {
          if (!this.#pending.delete(pending)) return;
          cancelTimer();
          if ("kind" in answer) resolve(answer as ReplyTo<C["kind"]>);
          else reject(answer);
        },
      };
      const cancelTimer = this.clock.setTimer(timeoutMs, () =>
        pending.settle(
          errorFor(isWrite(command.kind) ? "OUTCOME_UNKNOWN" : "DEADLINE_EXCEEDED", "no answer in time"),
        ),
      );
      this.#pending.add(pending);
      if (this.#stream === undefined) this.#reconnectLater(0);
      else this.#stream.ask(pending);
    });
  }

  rest(lost: Lost, then: () => void): Rest {
    return this.#resting.rest(lost, then);
  }

  follow(follow: Follow, reader: FollowReader): () => void {
    const following = { follow, reader };
    this.#following.add(following);
    if (this.#stream === undefined) this.#reconnectLater(0);
    else this.#stream.follow(following);
    return () => {
      this.#following.delete(following);
      this.#stream?.unfollow(following);
    };
  }

  watch(): never {
    throw new Error("nobody watches here");
  }

  async close(): Promise<void> {
    this.#isDown = true;
    this.cut();
  }

  // ---- accidents

  /** Ends the stream; what is under way on it is lost. */
  cut(): void {
    const stream = this.#stream;
    if (stream === undefined) return;
    this.#stream = undefined;
    stream.end();
    for (const following of [...this.#following]) {
      this.#following.delete(following);
      following.reader.ended(errorFor("UNAVAILABLE", "the stream was cut"));
    }
    this.#reconnectLater(RECONNECT_MS);
  }

  /** What is sent from now on is lost, and neither end is told. */
  halfOpen(): void {
    this.#stream?.loseAll();
  }

  /** No stream is opened until it is up again. */
  goDown(): void {
    this.#isDown = true;
    this.cut();
  }

  goUp(): void {
    this.#isDown = false;
    this.#reconnectLater(0);
  }

  #reconnectLater(ms: number): void {
    this.#cancelReconnect?.();
    this.#cancelReconnect = this.clock.setTimer(ms, () => {
      this.#cancelReconnect = undefined;
      this.#reconnect();
    });
  }

  #reconnect(): void {
    if (this.#isDown || this.#stream !== undefined) return;
    if (this.#pending.size === 0 && this.#following.size === 0) return;
    const stream = new Stream(this.#options, () => {
      if (this.#stream === stream) this.cut();
    });
    this.#stream = stream;
    for (const following of this.#following) stream.follow(following);
    for (const pending of this.#pending) stream.ask(pending);
  }
}

/** One stream, both ends of it. */
class Stream {
  readonly #options: LinkOptions;
  readonly #engine: Engine;
  readonly #up: Pipe;
  readonly #down: Pipe;
  readonly #told = new Map<Following, Told>();
  readonly #stopHeartbeats: () => void;
  #stopSilence = (): void => {};
  #ended = false;

  constructor(options: LinkOptions, dead: () => void) {
    this.#options = options;
    this.#engine = options.engine();
    this.#up = new Pipe(options.clock, options.delayMs);
    this.#down = new Pipe(options.clock, options.delayMs);
    const listen = (): void => {
      this.#stopSilence();
      this.#stopSilence = options.clock.setTimer(SILENCE_MS, () => (this.#told.size > 0 ? dead() : listen()));
    };
    this.#heard = listen;
    listen();
    let stop = (): void => {};
    const beat = (): void => {
      stop = options.clock.setTimer(HEARTBEAT_MS / 4, () => {
        for (const told of this.#told.values()) told.beat(options.clock.now());
        beat();
      });
    };
    beat();
    this.#stopHeartbeats = () => stop();
  }

  readonly #heard: () => void;

  ask({ command, deadline, settle }: Pending): void {
    this.#up.send(async () => {
      const answer = await this.#engine.dispatch(ANYONE, command, deadline);
      if (this.#ended) return;
      // What became ready before it is said before it.
      for (const told of this.#told.values()) told.flush();
      this.#down.send(() => {
        this.#heard();
        if (answer instanceof Refusal) return settle(errorFrom(answer));
        this.#options.tampering.reply?.(answer);
        settle(answer);
      });
    });
  }

  follow(following: Following): void {
    const { tampering, records } = this.#options;
    let { follow } = following;
    const told = new Told(this.#options.clock, (update) =>
      this.#tell(following, rebased(update, follow.after, following.follow.after)),
    );
    this.#told.set(following, told);
    this.#up.send(async () => {
      const { after } = follow;
      if (after !== undefined && tampering.after !== undefined)
        follow = { ...follow, after: tampering.after(after, records()) };
      const begun = await this.#engine.follow(ANYONE, follow, (subscription) => told.ready(subscription));
      if (this.#ended || !this.#told.has(following)) {
        if (!(begun instanceof Refusal)) begun.close();
      } else if (begun instanceof Refusal) this.#down.send(() => following.reader.ended(errorFrom(begun)));
    });
  }

  #tell(following: Following, update: StateUpdate): void {
    this.#down.send(() => {
      this.#heard();
      if (!this.#told.has(following)) return;
      const tell = (tampered: StateUpdate): void => following.reader.updated(tampered);
      const { tampering } = this.#options;
      if (tampering.update === undefined) tell(update);
      else tampering.update(update, tell);
    });
  }

  unfollow(following: Following): void {
    this.#told.get(following)?.close();
    this.#told.delete(following);
  }

  loseAll(): void {
    this.#up.isLost = true;
    this.#down.isLost = true;
  }

  end(): void {
    this.#ended = true;
    this.loseAll();
    this.#stopSilence();
    this.#stopHeartbeats();
    for (const told of this.#told.values()) told.close();
    this.#told.clear();
  }
}

/** The same update, as if it had begun where the client believes that it does. */
function rebased(
  update: StateUpdate,
  asked: Revision | undefined,
  stands: Revision | undefined,
): StateUpdate {
  const { base } = update;
  if (base === undefined || asked === undefined || stands === undefined) return update;
  return base.number === asked.number && base.check === asked.check ? { ...update, base: stands } : update;
}

type FollowSubscription = Exclude<Awaited<ReturnType<Engine["follow"]>>, Refusal>;

/** What the bridge tells of one subscription. */
class Told {
  readonly #clock: ManualClock;
  readonly #tell: (update: StateUpdate) => void;
  #subscription: FollowSubscription | undefined;
  #last: { readonly update: StateUpdate; readonly at: number } | undefined;

  constructor(clock: ManualClock, tell: (update: StateUpdate) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  ready(subscription: FollowSubscription): void {
    this.#subscription = subscription;
    this.flush();
  }

  flush(): void {
    for (;;) {
      const update = this.#subscription?.take();
      if (update === undefined || update instanceof Refusal) return;
      this.#say(update);
    }
  }

  /** Says where it stands if nothing was said for a while. */
  beat(now: number): void {
    if (this.#last === undefined || now - this.#last.at < 0.75 * HEARTBEAT_MS) return;
    const { revision } = this.#last.update;
    this.#say({ base: revision, revision, changed: [], deleted: [], more: false });
  }

  #say(update: StateUpdate): void {
    this.#last = { update, at: this.#clock.now() };
    this.#tell(update);
  }

  close(): void {
    this.#subscription?.close();
  }
}

/** One direction: what is sent arrives in order. */
class Pipe {
  isLost = false;
  readonly #clock: ManualClock;
  readonly #delayMs: () => number;
  #lastAt = 0;

  constructor(clock: ManualClock, delayMs: () => number) {
    this.#clock = clock;
    this.#delayMs = delayMs;
  }

  send(arrive: () => void | Promise<void>): void {
    if (this.isLost) return;
    const now = this.#clock.now();
    this.#lastAt = Math.max(this.#lastAt, now + this.#delayMs());
    this.#clock.setTimer(this.#lastAt - now, () => {
      if (!this.isLost) void arrive();
    });
  }
}
