/** What tests of the transport of a page have in common: a clock that stands still, servers, bridges, and who reads a stream. */
import type { CommandOf, Revision } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import type { StateUpdate } from "../../core/state-update.js";
import type { Told } from "../../core/watch.js";
import { type Bridge, startBridge } from "../../server.js";
import { enveloped } from "../../wire/connect.js";
import { SERVICES } from "../../wire/services.js";
import { updateBytes } from "../../wire/state-codecs.js";
import { WatchedClock } from "./accidents.contract.js";
import { WebTransport, type WebTransportOptions } from "./web.js";
import { bytes, type HttpAccident, HttpAccidentServer } from "./web-accidents.contract.js";

export const READ: CommandOf<"getSession"> = { kind: "getSession", sessionId: "s" };
export const WRITE: CommandOf<"setVariable"> = {
  kind: "setVariable",
  sessionId: "s",
  item: { identifier: "x", value: { kind: "float", value: 2 } },
  onMissing: "fail",
  metadata: [],
  requestId: { clientId: "ab".repeat(16), sequence: 7 },
};
export const at = (number: number): Revision => ({
  incarnation: "cd".repeat(16),
  number,
  check: BigInt(number),
});
export const rpcOf = (kind: string) => {
  const rpc = SERVICES.flatMap(({ rpcs }) => rpcs).find((each) => each.kind === kind);
  if (rpc === undefined) throw new Error(`no RPC ${kind}`);
  return rpc;
};
export const WRITTEN = bytes(
  rpcOf("setVariable").response({
    kind: "setVariable",
    item: { id: "var_x_2", type: "float", version: 2, value: 2 },
    revision: at(3),
  }),
);
export const update = (base: number | undefined, number: number): Uint8Array =>
  enveloped(
    0,
    updateBytes({
      ...(base === undefined ? {} : { base: at(base) }),
      revision: at(number),
      changed: [],
      deleted: [],
      more: false,
    }),
  );

/** Begins before each test, and is stopped after it. */
export class WebStage {
  readonly clock = new WatchedClock();
  readonly #stops: (() => unknown)[] = [];

  /** Has something done at the end, before what was asked for earlier. */
  onStop(stop: () => unknown): void {
    this.#stops.push(stop);
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
  }

  connect(url: string, options: WebTransportOptions = {}): WebTransport {
    const transport = new WebTransport(url, { clock: this.clock, random: () => 0, ...options });
    this.onStop(() => transport.close());
    return transport;
  }

  /** A server with a script, and a transport to it. */
  async serve(...script: HttpAccident[]) {
    const server = await HttpAccidentServer.start(...script);
    // Before the transport is closed, which waits for calls under way.
    const transport = this.connect(server.url);
    this.onStop(() => server.close());
    return { server, transport };
  }

  async bridgeOf(port = 0): Promise<Bridge> {
    const bridge = await startBridge({ port, logger: "silent", graceMs: 1_000 });
    this.onStop(() => bridge.close());
    return bridge;
  }
}

/** Reads what a stream tells. */
export class Reader {
  readonly told: unknown[] = [];
  error: BridgeError | undefined;

  updated = (each: StateUpdate): void => {
    this.told.push(each);
  };

  tell = (each: Told): void => {
    this.told.push(each);
  };

  ended = (error: BridgeError): void => {
    this.error = error;
  };

  async until(holds: () => boolean): Promise<void> {
    while (!holds()) await new Promise(setImmediate);
  }
}

export function follow(transport: WebTransport, sessionId = "s") {
  const reader = new Reader();
  const stop = transport.follow({ sessionId, passive: false }, reader);
  return { reader, stop };
}
