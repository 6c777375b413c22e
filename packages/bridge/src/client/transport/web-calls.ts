/**
 * The calls of a page on their way: each is a request, which is sent in its turn among those of its session, and sent again where
 * that is of use (ORD-16, ORD-17).
 *
 * A command is made into bytes once, so that every attempt is the same request under the same request id.
 */
import type { Clock } from "../../core/clock.js";
import type { Command, Reply } from "../../core/commands.js";
import { type Rpc, SERVICES } from "../../wire/services.js";
import { STATUS } from "../outcome.js";
import { AbortWatch, type OnAbort } from "./abort.js";
import { type Carrier, carry, type Errand, type Failed, NOT_HANDED_OVER } from "./errand.js";
import { isWrite } from "./transport.js";
import { pause } from "./waiting.js";
import { isDefinite, post } from "./web-http.js";
import type { Order } from "./web-order.js";
import { adviceAt } from "./web-page.js";
import type { Reach } from "./web-reach.js";

export interface WebCallsOptions {
  readonly address: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly order: Order;
  readonly reach: Reach;
  /** Called when a call is answered as a bridge answers. */
  heard(): void;
}

const RPCS = new Map(SERVICES.flatMap(({ rpcs }) => rpcs.map((rpc) => [rpc.kind, rpc])));

/** A command on its way. */
interface Delivery {
  readonly command: Command;
  readonly rpc: Rpc;
  readonly signal: AbortSignal;
  /** True while the bridge may have it and has not answered. */
  isHandedOver: boolean;
}

export class WebCalls {
  readonly #options: WebCallsOptions;
  readonly #aborts = new AbortWatch();

  constructor(options: WebCallsOptions) {
    this.#options = options;
  }

  /** Has a command carried out. Rejects at its deadline, or with the reason of an abort. */
  carry(command: Command, timeoutMs: number, onAbort: OnAbort): Promise<Reply> {
    const rpc = RPCS.get(command.kind) as Rpc;
    const { address, clock } = this.#options;
    const abort = new AbortController();
    const delivery = { command, rpc, signal: abort.signal, isHandedOver: false };
    const carrier: Carrier = {
      submit: (errand) => void this.#deliver(errand, delivery),
      expire: (errand) => {
        const status = delivery.isHandedOver ? STATUS.DEADLINE_EXCEEDED : undefined;
        errand.failed({ ...NOT_HANDED_OVER, status }, 0, 1, 0);
        abort.abort();
      },
      withdraw: () => abort.abort(),
    };
    const bytes = rpc.request(command);
    const advice = adviceAt(address);
    return carry(
      { address, command, bytes, read: rpc.reply, advice, timeoutMs },
      { clock, onAbort, carrier },
    );
  }

  /** Has a command carried out in its turn; its errand tells the caller. */
  async #deliver(errand: Errand, delivery: Delivery): Promise<void> {
    const { clock, random, order } = this.#options;
    const { command, signal } = delivery;
    const end =
      "sessionId" in command ? await order.turn(command.sessionId, isWrite(command.kind)) : () => {};
    for (let attempt = 1; !errand.isSettled; attempt++) {
      const answer = await this.#attempt(errand, delivery);
      // Its caller may have gone.
      if (errand.isSettled) break;
      const timeLeftMs = errand.deadline - clock.now();
      const afterMs =
        answer instanceof Uint8Array
          ? errand.answered(answer, timeLeftMs, attempt, random())
          : errand.failed(answer, timeLeftMs, attempt, random());
      // Its errand is settled when it is aborted.
      if (afterMs !== undefined) await pause(afterMs, clock, this.#aborts.of(signal)).catch(() => {});
    }
    end();
  }

  async #attempt(errand: Errand, delivery: Delivery): Promise<Uint8Array | Failed> {
    const { address, clock, reach, heard } = this.#options;
    const { rpc, signal } = delivery;
    if (!(await reach.isThere()) || errand.isSettled) return NOT_HANDED_OVER;
    const timeLeftMs = Math.max(1, Math.ceil(errand.deadline - clock.now()));
    delivery.isHandedOver = true;
    const { bytes } = errand;
    const answer = await post({ url: address + rpc.path, bytes, signal }, timeLeftMs);
    delivery.isHandedOver = false;
    if (isDefinite(answer)) {
      reach.heard();
      heard();
    } else if (!signal.aborted) reach.lost();
    return answer;
  }
}
