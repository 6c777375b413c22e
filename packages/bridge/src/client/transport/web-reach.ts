/**
 * Whether the bridge is there. A browser does not tell a page whether a request that failed was sent; so while it is not known that
 * the bridge is there, it is asked first by a call that changes nothing, and a write is only handed over after an answer (ORD-16).
 */
import type { Clock } from "../../core/clock.js";
import { type Rpc, SERVICES } from "../../wire/services.js";
import { isDefinite, post } from "./web-http.js";

const PING = SERVICES.flatMap(({ rpcs }) => rpcs).find(({ kind }) => kind === "ping") as Rpc;

/** How long it is waited for a sign that the bridge is there, in milliseconds. */
const REACH_MS = 5_000;

/** How often it is asked before it is taken for away, one time after the other. */
const MOST_ASKED = 3;

export interface ReachOptions {
  readonly address: string;
  readonly clock: Clock;
  /** Called when the bridge is heard for the first time, and when it is heard again after it was lost. */
  reached(): void;
}

export class Reach {
  readonly #options: ReachOptions;
  #isThere = false;
  #asking: Promise<boolean> | undefined;

  constructor(options: ReachOptions) {
    this.#options = options;
  }

  /** True as soon as the bridge is there, false as soon as it is known that it is not. */
  async isThere(): Promise<boolean> {
    if (this.#isThere) return true;
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined;
    });
    const isThere = await this.#asking;
    if (isThere) this.heard();
    return isThere;
  }

  /** A connection that was kept may have died, which is found out by using it: that says nothing of the bridge. */
  async #ask(): Promise<boolean> {
    for (let i = 0; i < MOST_ASKED; i++) if (await this.#ping()) return true;
    return false;
  }

  async #ping(): Promise<boolean> {
    const { address, clock } = this.#options;
    const abort = new AbortController();
    const cancelTimer = clock.setTimer(REACH_MS, () => abort.abort());
    const bytes = PING.request({ kind: "ping", message: "" });
    const answer = await post({ url: address + PING.path, bytes, signal: abort.signal }, REACH_MS);
    cancelTimer();
    return isDefinite(answer);
  }

  /** The bridge has answered. */
  heard(): void {
    if (this.#isThere) return;
    this.#isThere = true;
    this.#options.reached();
  }

  /** A connection has broken. */
  lost(): void {
    this.#isThere = false;
  }
}
