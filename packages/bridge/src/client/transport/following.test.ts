/** Following the state of a session through each transport. */
import { afterEach, describe, expect, test } from "vitest";
import type { CommandOf } from "../../core/commands.js";
import type { BridgeError } from "../../core/errors.js";
import type { StateUpdate } from "../../core/state-update.js";
import { createEngine, startBridge } from "../../server.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { ModelReplica } from "../../testing/model-replica.contract.js";
import { GrpcTransport } from "./grpc.js";
import { LocalTransport } from "./local.js";
import type { FollowReader, Transport } from "./transport.js";
import { WebTransport } from "./web.js";

interface Ends {
  /** Another transport to the same bridge. */
  connect(): Transport;
  /** Ends the bridge. */
  close(): Promise<void>;
}

const TRANSPORTS: readonly [string, () => Promise<Ends>][] = [
  [
    "in process",
    async () => {
      const clock = new ManualClock();
      const engine = await createEngine({ clock });
      return { connect: () => new LocalTransport({ engine, clock }), close: () => engine.close() };
    },
  ],
  [
    "over gRPC",
    async () => {
      const bridge = await startBridge({ port: 0, logger: "silent" });
      return { connect: () => new GrpcTransport(bridge.address), close: () => bridge.close() };
    },
  ],
  [
    "over HTTP",
    async () => {
      const bridge = await startBridge({ port: 0, logger: "silent" });
      return { connect: () => new WebTransport(`http://${bridge.address}`), close: () => bridge.close() };
    },
  ],
];

const set = (identifier: string, value: string): CommandOf<"setVariable"> => ({
  kind: "setVariable",
  sessionId: "s",
  item: { identifier, value: { kind: "string", value } },
  onMissing: "infer",
  metadata: [],
});

/** A reader that keeps a replica. */
class Keeper implements FollowReader {
  readonly replica = new ModelReplica();
  readonly updates: StateUpdate[] = [];
  error: BridgeError | undefined;
  readonly #waiting = new Set<() => void>();

  updated(update: StateUpdate): void {
    this.updates.push(update);
    this.replica.apply(update);
    for (const look of this.#waiting) look();
  }

  ended(error: BridgeError): void {
    this.error = error;
    for (const look of this.#waiting) look();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }
}

describe.each(TRANSPORTS)("%s a follower", (_, start) => {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });

  async function bridge(): Promise<{ connect(): Transport; close(): Promise<void> }> {
    const ends = await start();
    stops.push(() => ends.close());
    const connect = (): Transport => {
      const transport = ends.connect();
      stops.push(() => transport.close());
      return transport;
    };
    return { connect, close: () => ends.close() };
  }

  test("is told the session, and each change before the reply to what made it [ORD-2 accepts]", async () => {
    const { connect } = await bridge();
    const transport = connect();
    await transport.call(set("a", "0"));
    const keeper = new Keeper();
    transport.follow({ sessionId: "s", passive: false }, keeper);
    expect(keeper.updates).toEqual([]);
    for (let i = 1; i < 20; i++) {
      await transport.call(set("a", String(i)));
      expect(keeper.replica.values).toEqual({ a: String(i) });
    }
    expect(keeper.updates.length).toBeGreaterThan(1);
  });

  test("goes on where it was, and is told what another has changed", async () => {
    const { connect } = await bridge();
    const [transport, other] = [connect(), connect()];
    await other.call(set("a", "1"));
    const first = new Keeper();
    const stop = transport.follow({ sessionId: "s", passive: true }, first);
    await first.until(() => first.replica.revision !== undefined);
    stop();
    await other.call(set("b", "1"));
    const second = new Keeper();
    second.replica.revision = first.replica.revision;
    const after = first.replica.revision;
    transport.follow({ sessionId: "s", passive: true, ...(after === undefined ? {} : { after }) }, second);
    await second.until(() => second.updates.length > 0);
    expect(second.updates[0]).toMatchObject({ base: after, changed: [{ name: "b" }] });
    await other.call(set("a", "2"));
    await second.until(() => second.replica.values["a"] === "2");
    expect(first.updates).toHaveLength(1);
  });

  test("is told why it ends: refused, the bridge shuts down, the client is closed", async () => {
    const { connect, close } = await bridge();
    const [transport, other, closed] = [connect(), connect(), connect()];
    const refused = new Keeper();
    transport.follow({ sessionId: "", passive: false }, refused);
    await refused.until(() => refused.error !== undefined);
    expect(refused.error?.reason).toBe("INVALID_NAME");
    const ours = new Keeper();
    transport.follow({ sessionId: "s", passive: false }, ours);
    const theirs = new Keeper();
    other.follow({ sessionId: "s", passive: false }, theirs);
    await Promise.all([ours, theirs].map((each) => each.until(() => each.updates.length > 0)));
    await transport.close();
    expect(ours.error?.reason).toBe("CLOSED");
    await close();
    await theirs.until(() => theirs.error !== undefined);
    expect(theirs.error?.reason).toBe("SHUTTING_DOWN");
    await closed.close();
    const late = new Keeper();
    closed.follow({ sessionId: "s", passive: false }, late);
    expect(late.error).toBeUndefined();
    await late.until(() => late.error !== undefined);
    expect(late.error?.reason).toBe("CLOSED");
  });

  test("that has stopped is told nothing", async () => {
    const { connect } = await bridge();
    const transport = connect();
    const keeper = new Keeper();
    transport.follow({ sessionId: "s", passive: false }, keeper)();
    await transport.call(set("a", "1"));
    await transport.close();
    expect([keeper.updates, keeper.error]).toEqual([[], undefined]);
  });
});
