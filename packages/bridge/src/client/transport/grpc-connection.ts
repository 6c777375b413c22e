/**
 * Whether there is a connection. A write that was never handed over was certainly not carried out (ORD-16), and gRPC
 * does not tell afterwards whether it was; so a call is only begun on a connection that stands.
 *
 *   IDLE → CONNECTING → READY → IDLE …          a call waits here until READY, or until its time is up
 *          CONNECTING → TRANSIENT_FAILURE …     a call fails at once; gRPC goes on trying in the background
 */
import { type ChannelInterface as Channel, connectivityState } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import type { OnAbort } from "./abort.js";
import { happensWithin } from "./waiting.js";

export class Connection {
  readonly #channel: Channel;
  readonly #clock: Clock;
  /** The next change of state, shared by all who wait: gRPC cannot be told to forget a watcher. */
  #change: Promise<void> | undefined;

  constructor(channel: Channel, clock: Clock) {
    this.#channel = channel;
    this.#clock = clock;
  }

  /** Connects if needed. False if that failed, or takes longer than until the deadline. */
  async isReady(deadline: number, onAbort: OnAbort): Promise<boolean> {
    for (;;) {
      // Asking to connect answers what was before. It may be otherwise now: a connection that another client of this process
      // has made is there at once, and the change to it will not come again.
      this.#channel.getConnectivityState(true);
      switch (this.#state) {
        case connectivityState.READY:
          return true;
        case connectivityState.TRANSIENT_FAILURE:
        case connectivityState.SHUTDOWN:
          return false;
        case connectivityState.IDLE:
        case connectivityState.CONNECTING: {
          const timeLeftMs = deadline - this.#clock.now();
          if (!(await happensWithin(this.#nextChange(), timeLeftMs, this.#clock, onAbort))) return false;
        }
      }
    }
  }

  get #state(): connectivityState {
    return this.#channel.getConnectivityState(false);
  }

  #nextChange(): Promise<void> {
    this.#change ??= new Promise((resolve) => {
      this.#channel.watchConnectivityState(this.#state, Number.POSITIVE_INFINITY, () => {
        this.#change = undefined;
        resolve();
      });
    });
    return this.#change;
  }
}
