/**
 * Where watches are overheard, whoever opens them: as the engine tells them, as they come over a transport, and as a program
 * reads them. What passes through is not changed.
 */
import type { Calls } from "../client/calls.js";
import type { SessionEventView } from "../client/event-views.js";
import type { Transport } from "../client/transport/transport.js";
import type { SessionWatch } from "../client/watching.js";
import type { SessionEvent } from "../core/session/event.js";
import type { Told, Watch } from "../core/watch.js";
import type { Engine } from "../engine/engine.js";
import type { Subscription } from "../engine/subscription.js";
import type { Store } from "../storage/store.js";
import { shownOf, stepOf, toldOf } from "./watch-forms.contract.js";
import type { OpenReading, Witness } from "./watch-readings.contract.js";

interface ClassOf<T> {
  readonly prototype: T;
}

/** The classes that are overheard: those of the sources, or of the compiled package. */
export interface Overheard {
  readonly stores: readonly ClassOf<Pick<Store, "append" | "close" | "persistent">>[];
  readonly engine: ClassOf<Pick<Engine, "watch" | "limits">>;
  readonly transports: readonly ClassOf<Pick<Transport, "watch">>[];
  readonly calls: ClassOf<Pick<Calls, "watch">>;
}

/** @param witness who listens now, if somebody does */
export function overhear(
  { stores, engine, transports, calls }: Overheard,
  witness: () => Witness | undefined,
): void {
  for (const { prototype } of stores) overhearStore(prototype, witness);
  overhearEngine(engine.prototype, witness);
  const programs = new Programs();
  for (const { prototype } of transports) overhearTransport(prototype, programs, witness);
  overhearCalls(calls.prototype, programs, witness);
}

function overhearStore(
  prototype: Overheard["stores"][number]["prototype"],
  witness: () => Witness | undefined,
): void {
  const { append, close } = prototype;
  prototype.append = function (records) {
    const kept = append.call(this, records);
    witness()?.keeps(this, records);
    return kept;
  };
  prototype.close = function () {
    if (!this.persistent) witness()?.forgets(this);
    return close.call(this);
  };
}

function overhearEngine(
  prototype: Overheard["engine"]["prototype"],
  witness: () => Witness | undefined,
): void {
  const { watch } = prototype;
  prototype.watch = function (principal, asked, notify) {
    let reading: OpenReading | undefined;
    const heard = new Set<Subscription>();
    const begun = watch.call(this, principal, asked, (subscription) => {
      if (reading !== undefined && !heard.has(subscription)) noteTaken(subscription, reading);
      heard.add(subscription);
      notify(subscription);
    });
    // An expiry that is due is committed by the look of the watch itself, before it begins.
    reading = witness()?.begin(asked);
    witness()?.limits(this.limits.maxMessageBytes);
    return begun;
  };
}

function noteTaken(subscription: Subscription, reading: OpenReading): void {
  const take = subscription.take;
  subscription.take = () => {
    const told = take.call(subscription);
    // A refusal may be one of the compiled package.
    if (told !== undefined && !("reason" in told)) reading.step(stepOf(told));
    return told;
  };
}

function overhearTransport(
  prototype: Overheard["transports"][number]["prototype"],
  programs: Programs,
  witness: () => Witness | undefined,
): void {
  const { watch } = prototype;
  prototype.watch = function (asked, reader) {
    const stream = witness()?.begin(asked);
    const program = programs.asks(asked);
    return watch.call(this, asked, {
      told: (told: Told) => {
        const step = stepOf(told);
        stream?.step(step);
        // Where it begins; the rest is what it reads.
        if (program?.steps.length === 0) program.step(step);
        reader.told(told);
      },
      ended: (error) => reader.ended(error),
    });
  };
}

/** The watches that programs read: each asks a transport for its events, again and again if need be. */
class Programs {
  /** By the names that are asked for, which stay the same object whenever they are asked for. */
  readonly #readings = new WeakMap<readonly string[], OpenReading>();
  #begin: ((watch: Watch) => OpenReading) | undefined;

  /** Has what is asked for meanwhile noted down as read by a program. */
  begin<W>(witness: Witness, watch: () => W): { begun: W; reading: OpenReading | undefined } {
    let reading: OpenReading | undefined;
    this.#begin = (asked) => (reading = witness.begin(asked));
    try {
      const begun = watch();
      return { begun, reading };
    } finally {
      this.#begin = undefined;
    }
  }

  asks(watch: Watch): OpenReading | undefined {
    const known = this.#readings.get(watch.names);
    if (known !== undefined) known.wasCut ||= known.steps.length > 0;
    const reading = known ?? this.#begin?.(watch);
    if (reading !== undefined) this.#readings.set(watch.names, reading);
    return reading;
  }
}

function overhearCalls(
  prototype: Overheard["calls"]["prototype"],
  programs: Programs,
  witness: () => Witness | undefined,
): void {
  const { watch } = prototype;
  prototype.watch = function (sessionId, filter, options, view, lost) {
    const listening = witness();
    if (listening === undefined) return watch.call(this, sessionId, filter, options, view, lost) as never;
    /** Where the reader stood with each event that it was given. */
    const points = new WeakMap<object, string>();
    let isBroken = false;
    const noted: typeof view = (event) => {
      // What cannot be shown is passed over, and ends the watch.
      isBroken = true;
      const shown = view(event);
      isBroken = false;
      points.set(shown as object, begun.point as string);
      return shown;
    };
    const { begun, reading } = programs.begin(listening, () =>
      watch.call(this, sessionId, filter, options, noted as never, lost),
    );
    if (reading !== undefined) {
      reading.lastPoint = () => (isBroken ? undefined : begun.point);
      noteRead(begun, reading, points);
    }
    return begun as never;
  };
}

function noteRead<E>(watch: SessionWatch<E>, reading: OpenReading, points: WeakMap<object, string>): void {
  const next = watch.next;
  // What is answered is what was noted, and no branch of it: a failure that a reader leaves alone is to show as it would without this.
  watch.next = async () => {
    const read = await next.call(watch);
    const { value } = read;
    if (value !== undefined) {
      const event = value as SessionEvent | SessionEventView;
      const point = points.get(event);
      reading.step({
        event: "at" in event ? shownOf(event) : toldOf(event),
        ...(point === undefined ? {} : { point }),
      });
    }
    return read;
  };
}
