/**
 * Keeps a replica at the state of its session, from the first read on: subscribes, feeds it, and subscribes again from where it
 * stands when the subscription is lost.
 *
 *   idle ──▶ asking ──▶ told ──▶ pausing (the bridge is gone) ──▶ asking …
 *                         └────▶ over: closed, or an error that another attempt would not change
 */
import { type BridgeError, type ErrorReason, errorFor } from "../core/errors.js";
import type { StateUpdate } from "../core/state-update.js";
import { Replica } from "./replica.js";
import type { Transport } from "./transport/transport.js";

export class Following {
  readonly replica = new Replica();
  readonly #transport: Transport;
  readonly #sessionId: string;
  #state: "idle" | "asking" | "told" | "pausing" | "over" = "idle";
  /** Why it is over. */
  #error: BridgeError | undefined;
  /** How many attempts have failed one after the other. */
  #failures = 0;
  /** How much it was told since it was asked for. The first is what there is, which is no news. */
  #toldCount = 0;
  #stop = (): void => {};
  /** Shortens a rest to the pause of a call. */
  #hurry = (): void => {};
  /** Who waits for something new. */
  #waiting: (() => void)[] = [];

  constructor(transport: Transport, sessionId: string) {
    this.#transport = transport;
    this.#sessionId = sessionId;
  }

  /** Begins if it has not. Somebody wants it, so if it rests, then no longer than a call would. */
  begin(): void {
    if (this.#state === "idle") this.#ask(true);
    else if (this.#state === "pausing") this.#hurry();
  }

  /** Ends for good. */
  end(): void {
    this.#over(errorFor("CLOSED", "the session was closed"));
  }

  /** Why the replica will not change any more; undefined while it may. */
  get error(): BridgeError | undefined {
    return this.#error;
  }

  /** Done at the next change of what the replica is or has, or of who reads from it. */
  news(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Has all who wait look again. */
  wake(): void {
    this.#tell();
  }

  /** @param resumes false: what the replica has is of no use, so all is asked for */
  #ask(resumes: boolean): void {
    this.#state = "asking";
    this.#toldCount = 0;
    this.replica.asking();
    const after = resumes ? this.replica.revision : undefined;
    const follow = { sessionId: this.#sessionId, passive: false, ...(after === undefined ? {} : { after }) };
    this.#stop = this.#transport.follow(follow, {
      updated: (update) => this.#take(update),
      ended: (error) => this.#lost(error),
    });
  }

  #take(update: StateUpdate): void {
    this.#state = "told";
    const wasReady = this.replica.state === "READY";
    const taken = this.replica.take(update, this.#transport.clock.now());
    if (taken === "part") return;
    if (taken === "gap") {
      this.#stop();
      return this.#pause("what the bridge told does not follow what it told before", false, undefined);
    }
    if (!wasReady) this.#transport.operator.notice({ event: "ready", ...this.#where });
    if (++this.#toldCount > 1) this.#failures = 0;
    this.#tell();
  }

  #lost(error: BridgeError): void {
    if (FATAL.has(error.reason)) this.#over(error);
    else this.#pause(error.message, true, error.reason);
  }

  #pause(why: string, resumes: boolean, reason: ErrorReason | undefined): void {
    this.#state = "pausing";
    this.#failures++;
    if (this.replica.state === "READY")
      this.#transport.operator.notice({ event: "stale", ...this.#where, reason: why });
    this.replica.lost(why);
    const lost = { failures: this.#failures, reason };
    const { stop, hurry } = this.#transport.rest(lost, () => this.#ask(resumes));
    this.#stop = stop;
    this.#hurry = hurry;
    this.#tell();
  }

  #over(error: BridgeError): void {
    if (this.#state === "over") return;
    this.#stop();
    this.#state = "over";
    this.#error = error;
    // Who closes a session knows.
    if (error.reason !== "CLOSED")
      this.#transport.operator.notice({ event: "give up", ...this.#where, reason: error.message });
    this.replica.forget(error.message);
    this.#tell();
  }

  get #where(): { readonly address: string; readonly session: string } {
    return { address: this.#transport.address, session: this.#sessionId };
  }

  #tell(): void {
    const told = this.#waiting;
    this.#waiting = [];
    for (const resolve of told) resolve();
  }
}

/** What another attempt would not change. Everything else passes, and until then the bridge is asked. */
const FATAL: ReadonlySet<ErrorReason> = new Set([
  "CLOSED",
  "UNAUTHENTICATED",
  "PERMISSION_DENIED",
  "VERSION_MISMATCH",
  "INVALID_NAME",
  "INVALID_ARGUMENT",
  "PROTOCOL",
]);
