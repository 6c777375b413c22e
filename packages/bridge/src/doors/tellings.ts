/** The two kinds of watch (ORD-6) as a door sees them: what asks for one, who begins it, and how what it tells leaves. */
import type { Revision } from "../core/commands.js";
import type { Refusal } from "../core/refusal.js";
import type { Follow, StateUpdate } from "../core/state-update.js";
import { pointAfter } from "../core/told-queue.js";
import type { Told, Watch } from "../core/watch.js";
import type { Engine } from "../engine/engine.js";
import { ANYONE } from "../engine/principal.js";
import type { Notify, Subscription } from "../engine/subscription.js";
import {
  bookmarkBytes,
  followFromBytes,
  standingBytes,
  toldBytes,
  updateBytes,
  watchFromBytes,
} from "../wire/channel.js";

/** A kind of watch: it is asked for by an `A`, and tells `T`s. */
export interface Telling<A, T> {
  /** What is asked for, or why it is nothing. */
  asked(bytes: Uint8Array): A | Refusal;
  begin(
    engine: Pick<Engine, "watch" | "follow">,
    asked: A,
    notify: Notify<T>,
  ): Promise<Subscription<T> | Refusal>;
  /** The bytes of what is told. `maxBytes`: what a message may have. */
  bytes(told: T, maxBytes: number): Uint8Array;
  /** True if it is a part, and the next one follows. */
  goesOn(told: T): boolean;
  /** Where it leaves its reader. */
  pointAfter(told: T): Revision;
  /** The bytes that say that a reader stands there still. */
  standing(point: Revision): Uint8Array;
}

/** What happened. */
export const EVENTS: Telling<Watch, Told> = {
  asked: watchFromBytes,
  begin: (engine, asked, notify) => engine.watch(ANYONE, asked, notify),
  bytes: toldBytes,
  goesOn: () => false,
  pointAfter,
  standing: bookmarkBytes,
};

/** What is. */
export const STATE: Telling<Follow, StateUpdate> = {
  asked: followFromBytes,
  begin: (engine, asked, notify) => engine.follow(ANYONE, asked, notify),
  bytes: updateBytes,
  goesOn: ({ more }) => more,
  pointAfter: ({ revision }) => revision,
  standing: standingBytes,
};
