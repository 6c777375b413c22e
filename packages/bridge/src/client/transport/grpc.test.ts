/** What happens when things go wrong on the way to a bridge; the rest is in `session-store.contract.ts` and `session.contract.ts`. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { CommandOf } from "../../core/commands.js";
import {
  AuthError,
  BridgeError,
  ClosedError,
  DeadlineError,
  InternalError,
  LimitError,
  OutcomeUnknownError,
  SessionNotFoundError,
  UnavailableError,
} from "../../core/errors.js";
import { Refusal, sessionNotFound } from "../../core/refusal.js";
import { startBridge } from "../../server.js";
import { witnessWatches } from "../../testing/watch-witness.contract.js";
import { replyBytes } from "../../wire/channel.js";
import { STATUS } from "../outcome.js";
import { failure } from "../test-bridge.contract.js";
import {
  type Accident,
  AccidentServer,
  answer,
  breakConnection,
  deadPort,
  keepSilent,
  startSilentServer,
  status,
  WatchedClock,
} from "./accidents.contract.js";
import { GrpcTransport, type GrpcTransportOptions } from "./grpc.js";
import { systemClock } from "./system-clock.js";

witnessWatches();

const READ: CommandOf<"getSession"> = { kind: "getSession", sessionId: "s" };
const WRITE: CommandOf<"setVariable"> = {
  kind: "setVariable",
  sessionId: "s",
  item: { identifier: "x", value: { kind: "float", value: 2 } },
  onMissing: "fail",
  metadata: [],
  requestId: { clientId: "ab".repeat(16), sequence: 7 },
};
const WRITTEN = replyBytes({
  kind: "setVariable",
  item: { id: "var_x_2", type: "float", version: 2, value: 2 },
  revision: { incarnation: "cd".repeat(16), number: 3, check: 1n },
});
const refuse = (refusal: Refusal): Accident => answer(replyBytes(refusal));

let clock: WatchedClock;
let stops: (() => unknown)[];
beforeEach(() => {
  clock = new WatchedClock();
  stops = [];
});
afterEach(async () => {
  for (const stop of stops.reverse()) await stop();
});

function connect(address: string, options: GrpcTransportOptions = {}): GrpcTransport {
  const transport = new GrpcTransport(address, { clock, random: () => 0, ...options });
  stops.push(() => transport.close());
  return transport;
}

async function serve(...script: Accident[]): Promise<{ server: AccidentServer; transport: GrpcTransport }> {
  const server = await AccidentServer.start(...script);
  stops.push(() => server.close());
  return { server, transport: connect(server.address) };
}

describe("without a connection", () => {
  test("a call fails at once and says where it looked and what to do [ORD-16 refuses]", async () => {
    const address = `127.0.0.1:${await deadPort()}`;
    const transport = connect(address);
    for (const command of [READ, WRITE]) {
      const error = await failure(transport.call(command));
      expect(error).toBeInstanceOf(UnavailableError);
      expect(error).toMatchObject({ reason: "UNAVAILABLE", retryable: true, sessionId: "s" });
      expect(error.message).toContain(`no bridge answers at ${address}`);
      expect(error.message).toContain("snakepit-bridge serve");
    }
  });

  test("a call waits for one that is being made until its time is up: a write then was never handed over", async () => {
    const silent = await startSilentServer();
    const transport = connect(silent.address);
    // Before the transport is closed, so that its attempt to connect has an end.
    stops.push(() => silent.close());
    const writing = failure(transport.call(WRITE));
    await clock.pass(5_000);
    expect(await writing).toBeInstanceOf(UnavailableError);
    const reading = failure(transport.call(READ, { timeoutMs: 300 }));
    await clock.pass(300);
    expect(await reading).toBeInstanceOf(DeadlineError);
    expect((await reading).message).toContain("within 300 ms");
  });

  test("a call goes out at once on one that another client of this process has made again", async () => {
    const before = await startBridge({ port: 0, logger: "silent" });
    const { address, port } = before;
    const [one, other] = [connect(address, { clock: systemClock }), connect(address, { clock: systemClock })];
    for (const each of [one, other]) await expect(each.call(READ)).rejects.toThrow(SessionNotFoundError);
    await before.close();
    const after = await startBridge({ port, logger: "silent" });
    stops.push(() => after.close());
    // gRPC shares connections, so the second has one in the moment in which it asks for it.
    for (const each of [one, other]) await expect(each.call(READ)).rejects.toThrow(SessionNotFoundError);
  });

  test("an abort ends the waiting with its reason", async () => {
    const silent = await startSilentServer();
    const transport = connect(silent.address);
    stops.push(() => silent.close());
    const controller = new AbortController();
    const reading = failure(transport.call(READ, { signal: controller.signal }));
    controller.abort("enough");
    expect(await reading).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("a read", () => {
  test("whose server is unavailable twice is answered by the third attempt", async () => {
    const { server, transport } = await serve(
      status(STATUS.UNAVAILABLE),
      breakConnection,
      refuse(sessionNotFound("s")),
    );
    const reading = failure(transport.call(READ));
    await clock.pass(100);
    await clock.pass(200);
    expect(await reading).toBeInstanceOf(SessionNotFoundError);
    expect(server.requests).toHaveLength(3);
  });

  test("whose server stays unavailable is tried until the next pause would be too long", async () => {
    const { server, transport } = await serve(status(STATUS.UNAVAILABLE));
    const reading = failure(transport.call(READ, { timeoutMs: 1_000 }));
    for (const pauseMs of [100, 200, 400]) await clock.pass(pauseMs);
    expect(await reading).toBeInstanceOf(UnavailableError);
    expect(server.requests).toHaveLength(4);
  });

  test("that is never answered is out of time [ORD-16 accepts]", async () => {
    const { server, transport } = await serve(keepSilent);
    const reading = failure(transport.call(READ, { timeoutMs: 50 }));
    await server.received(1);
    clock.advance(50);
    const error = await reading;
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error.message).toBe(`the bridge at ${server.address} did not answer within 50 ms`);
  });

  test("that is answered with nonsense fails as an answer that makes no sense", async () => {
    const { transport } = await serve(answer(Buffer.from("nonsense")));
    const error = await failure(transport.call(READ));
    expect(error).toBeInstanceOf(InternalError);
    expect(error).toMatchObject({ reason: "PROTOCOL" });
  });
});

describe("a write", () => {
  test("whose connection breaks is sent again as the same bytes, and the answer is the answer [ORD-15]", async () => {
    const { server, transport } = await serve(breakConnection, answer(WRITTEN));
    const writing = transport.call(WRITE);
    await clock.pass(100);
    expect(await writing).toMatchObject({ item: { version: 2 }, revision: { number: 3 } });
    expect(server.requests).toHaveLength(2);
    expect(server.requests[1]).toEqual(server.requests[0]);
  });

  test.each([
    ["UNAVAILABLE", STATUS.UNAVAILABLE],
    ["CANCELLED", STATUS.CANCELLED],
    ["UNKNOWN", STATUS.UNKNOWN],
    ["INTERNAL", STATUS.INTERNAL],
  ])("that ends with %s and no word of the bridge is sent again", async (_, code) => {
    const { server, transport } = await serve(status(code), answer(WRITTEN));
    const writing = transport.call(WRITE);
    await clock.pass(100);
    expect(await writing).toMatchObject({ item: { version: 2 } });
    expect(server.requests[1]).toEqual(server.requests[0]);
  });

  test("whose server ends the channel in peace is sent again: it shuts down", async () => {
    const { server, transport } = await serve(status(STATUS.OK), answer(WRITTEN));
    const writing = transport.call(WRITE);
    await clock.pass(100);
    expect(await writing).toMatchObject({ item: { version: 2 } });
    expect(server.requests[1]).toEqual(server.requests[0]);
  });

  test("is sent again in the order in which it was sent, and before what came later [ORD-17 accepts]", async () => {
    const written: (() => void)[] = [];
    const { server, transport } = await serve(
      keepSilent,
      keepSilent,
      breakConnection,
      (_command, { reply }) => written.push(() => reply(WRITTEN)),
    );
    const nth = (sequence: number) => ({ ...WRITE, requestId: { clientId: "ab".repeat(16), sequence } });
    const writing = [1, 2, 3].map((sequence) => transport.call(nth(sequence)));
    await server.received(3);
    await clock.timerOf(100);
    writing.push(transport.call(nth(4)));
    await clock.pass(100);
    await server.received(7);
    for (const reply of written) reply();
    await Promise.all(writing);
    const sent = server.requests.map((bytes) => bytes.toString("hex"));
    expect(sent.slice(3, 6)).toEqual(sent.slice(0, 3));
    expect(new Set(sent).size).toBe(4);
  });

  test("whose connection breaks until its time is up has an unknown outcome [ORD-16 accepts]", async () => {
    const { server, transport } = await serve(breakConnection);
    const writing = failure(transport.call(WRITE, { timeoutMs: 500 }));
    for (const pauseMs of [100, 200]) await clock.pass(pauseMs);
    const error = await writing;
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error).toMatchObject({ reason: "OUTCOME_UNKNOWN", sessionId: "s", retryable: false });
    expect(server.requests).toHaveLength(3);
  });

  test("whose server vanishes with it has an unknown outcome, and not an unavailable server [ORD-16 refuses]", async () => {
    const { transport } = await serve((_command, _answers, server) => server.vanish());
    const writing = failure(transport.call(WRITE, { timeoutMs: 250 }));
    await clock.pass(100);
    expect(await writing).toBeInstanceOf(OutcomeUnknownError);
  });

  test("that is never answered has an unknown outcome [ORD-16 accepts]", async () => {
    const { server, transport } = await serve(keepSilent);
    const writing = failure(transport.call(WRITE, { timeoutMs: 50 }));
    await server.received(1);
    clock.advance(50);
    expect(await writing).toBeInstanceOf(OutcomeUnknownError);
  });

  test("that the bridge did not begin in time was not carried out [ORD-16 refuses]", async () => {
    const { server, transport } = await serve(refuse(new Refusal("DEADLINE_EXCEEDED", "too late")));
    const error = await failure(transport.call(WRITE));
    expect(error).toBeInstanceOf(DeadlineError);
    expect(error.message).toBe("too late");
    expect(server.requests).toHaveLength(1);
  });

  test("that a server refuses because it shuts down was not carried out, unless an attempt was lost before", async () => {
    const leaving = refuse(new Refusal("SHUTTING_DOWN", "leaving"));
    const first = await serve(leaving);
    expect(await failure(first.transport.call(WRITE))).toBeInstanceOf(UnavailableError);
    const second = await serve(breakConnection, leaving);
    const writing = failure(second.transport.call(WRITE, { timeoutMs: 250 }));
    await clock.pass(100);
    expect(await writing).toBeInstanceOf(OutcomeUnknownError);
  });

  test("that is refused for now is not overtaken by one that was refused after it [ORD-17 accepts]", async () => {
    const leaving = refuse(new Refusal("SHUTTING_DOWN", "leaving"));
    const lost = [1, 2, 3, 4, 5].flatMap(() => [keepSilent, breakConnection]);
    const server = await AccidentServer.start(...lost, leaving, leaving, answer(WRITTEN));
    stops.push(() => server.close());
    // So that the second, whose pause is as long as pauses become, draws a shorter one.
    let draws = 0;
    const transport = connect(server.address, { random: () => (++draws === 7 ? 0.9 : 0) });
    const writes = [7, 8].map((sequence) =>
      transport.call({ ...WRITE, requestId: { clientId: "ab".repeat(16), sequence } }, { timeoutMs: 60_000 }),
    );
    for (const pauseMs of [100, 200, 400, 800, 1_600, 1_100]) await clock.pass(pauseMs);
    await Promise.all(writes);
    expect(server.requests).toHaveLength(14);
    expect(server.requests.slice(12)).toEqual(server.requests.slice(0, 2));
  });

  test("that is answered with nonsense was carried out, but nobody can say how", async () => {
    const { transport } = await serve(answer(Buffer.from("nonsense")));
    const error = await failure(transport.call(WRITE));
    expect(error).toBeInstanceOf(OutcomeUnknownError);
    expect(error.cause).toMatchObject({ reason: "PROTOCOL" });
  });

  test("that a bridge carried out before the connection broke is carried out once [ORD-15 accepts]", async () => {
    const bridge = await startBridge({ port: 0, logger: "silent" });
    stops.push(() => bridge.close());
    const direct = connect(bridge.address);
    await direct.call({ kind: "createSession", sessionId: "s", metadata: [] });
    await direct.call({
      ...WRITE,
      requestId: { clientId: "00".repeat(16), sequence: 1 },
      onMissing: "infer",
    });
    const forwarded: Promise<unknown>[] = [];
    const { transport } = await serve(
      (_command, _answers, server) => {
        const carriedOut = direct.call({ ...WRITE, item: { ...WRITE.item, expectedVersion: 1 } });
        forwarded.push(carriedOut.then(() => server.breakConnections()));
      },
      (_command, { reply }) => {
        const again = direct.call({ ...WRITE, item: { ...WRITE.item, expectedVersion: 1 } });
        forwarded.push(again.then((written) => reply(replyBytes(written))));
      },
    );
    const writing = transport.call({ ...WRITE, item: { ...WRITE.item, expectedVersion: 1 } });
    await clock.pass(100);
    expect(await writing).toMatchObject({ item: { version: 2 }, revision: { number: 3 } });
    await Promise.all(forwarded);
    expect((await direct.call(READ)).session.revision.number).toBe(3);
  });
});

describe("a status without a word of the bridge", () => {
  test.each(["INTERNAL", "UNKNOWN", "UNAVAILABLE"] as const)(
    "%s is asked again, and a watch may be",
    async (code) => {
      const { server, transport } = await serve(status(STATUS[code]), status(STATUS[code]), answer(WRITTEN));
      const ending = new Promise((ended) => {
        transport.watch({ sessionId: "s", names: [], passive: false }, { told: () => {}, ended });
      });
      expect(await ending).toMatchObject({ reason: "UNAVAILABLE" });
      const reading = failure(transport.call(READ));
      // It is the second time in a row that a stream ends so.
      await clock.pass(200);
      // It was answered, though not with what it asked for.
      expect(await reading).toMatchObject({ reason: "PROTOCOL" });
      expect(server.requests[2]).toEqual(server.requests[1]);
    },
  );

  test.each([
    ["RESOURCE_EXHAUSTED", LimitError, "TOO_LARGE"],
    ["UNAUTHENTICATED", AuthError, "UNAUTHENTICATED"],
    ["PERMISSION_DENIED", AuthError, "PERMISSION_DENIED"],
    ["UNIMPLEMENTED", InternalError, "PROTOCOL"],
    ["FAILED_PRECONDITION", InternalError, "PROTOCOL"],
    ["NOT_FOUND", InternalError, "PROTOCOL"],
  ] as const)("%s settles a read and a write", async (code, errorClass, reason) => {
    const { server, transport } = await serve(status(STATUS[code]));
    for (const command of [READ, WRITE]) {
      const error = await failure(transport.call(command));
      expect(error).toBeInstanceOf(errorClass);
      expect(error).toMatchObject({ reason });
      expect(error.message).toContain(server.address);
    }
    expect(server.requests).toHaveLength(2);
  });

  test("UNIMPLEMENTED says that the server may be older", async () => {
    const { transport } = await serve(status(STATUS.UNIMPLEMENTED));
    expect((await failure(transport.call(READ))).message).toContain("older version");
  });

  test("with details that are none is as one without", async () => {
    for (const details of [Buffer.from("nonsense"), Buffer.alloc(0)]) {
      const { transport } = await serve(status(STATUS.NOT_FOUND, details));
      expect(await failure(transport.call(READ))).toMatchObject({ reason: "PROTOCOL" });
    }
  });
});

describe("an abort", () => {
  test("ends a call under way with its reason, and tells the server", async () => {
    const { server, transport } = await serve(keepSilent);
    const controller = new AbortController();
    const writing = failure(transport.call(WRITE, { signal: controller.signal }));
    await server.received(1);
    const reason = new Error("enough");
    controller.abort(reason);
    expect(await writing).toBe(reason);
    await server.cancelled;
  });

  test("ends the pause between two attempts", async () => {
    const { transport } = await serve(status(STATUS.UNAVAILABLE));
    const controller = new AbortController();
    const reading = failure(transport.call(READ, { signal: controller.signal }));
    await clock.pass(100);
    await clock.timerOf(200);
    controller.abort("enough");
    expect(await reading).toBe("enough");
    expect(clock.pendingTimers).toBe(0);
  });

  test("ends the pause of a write that a leaving server has refused", async () => {
    const { transport } = await serve(breakConnection, refuse(new Refusal("SHUTTING_DOWN", "leaving")));
    const controller = new AbortController();
    const writing = failure(transport.call(WRITE, { signal: controller.signal }));
    await clock.pass(100);
    await clock.timerOf(200);
    controller.abort("enough");
    expect(await writing).toBe("enough");
    expect(clock.countOf(200)).toBe(0);
  });
});

describe("a server that goes away", () => {
  const write = (sequence: number) => ({ ...WRITE, requestId: { clientId: "ab".repeat(16), sequence } });

  /** A client that has heard it, with one write under way: how it is answered, how the channel ends, how it is given up. */
  async function goneAway() {
    let [hear, owe, end] = [() => {}, () => {}, () => {}];
    const { server, transport } = await serve(
      (_, { reply }) => {
        hear = () => reply(WRITTEN);
      },
      (_, answers) => {
        owe = () => answers.reply(WRITTEN);
        end = () => answers.end(STATUS.UNAVAILABLE);
        answers.goAway();
        hear();
      },
      answer(WRITTEN),
    );
    const heard = transport.call(write(1));
    const waiting = new AbortController();
    const owed = transport.call(write(2), { signal: waiting.signal });
    await heard;
    return { server, transport, owed, owe, end, giveUp: () => waiting.abort("enough") };
  }

  test("is asked nothing more, and what it does not answer is asked elsewhere before what came later [ORD-17 accepts]", async () => {
    const { server, transport, owed, end } = await goneAway();
    const later = transport.call(write(3));
    for (let i = 0; i < 50 && server.requests.length < 3; i++) await new Promise(setImmediate);
    end();
    await clock.pass(100);
    await Promise.all([owed, later]);
    expect(server.requests).toHaveLength(4);
    expect(server.requests[2]).toEqual(server.requests[1]);
  });

  test("is waited for by what came later until it has answered all that it owes", async () => {
    const { server, transport, owed, owe } = await goneAway();
    const later = transport.call(write(3));
    expect(server.channels).toBe(1);
    owe();
    await Promise.all([owed, later]);
    expect(server.channels).toBe(2);
  });

  test("is not waited for when nobody wants its answers any more", async () => {
    const { server, transport, owed, giveUp } = await goneAway();
    const later = transport.call(write(3));
    giveUp();
    expect(await failure(owed)).toBe("enough");
    await later;
    expect(server.channels).toBe(2);
  });

  test("is not waited for to end its watches", async () => {
    const { server, transport } = await serve(
      keepSilent,
      (_, { reply, goAway }) => {
        goAway();
        reply(WRITTEN);
      },
      answer(WRITTEN),
    );
    transport.watch({ sessionId: "s", names: [], passive: false }, { told: () => {}, ended: () => {} });
    await transport.call(write(1));
    await transport.call(write(2));
    expect(server.channels).toBe(2);
  });
});

describe("a channel that nobody uses", () => {
  test("is let go, and the next call opens another", async () => {
    const { server, transport } = await serve(answer(WRITTEN));
    await transport.call(WRITE);
    await transport.call(WRITE);
    // It was used since the last look, and then it was not.
    await clock.pass(150);
    expect(clock.pendingTimers).toBe(1);
    await clock.pass(150);
    await server.ended;
    expect(clock.pendingTimers).toBe(0);
    expect(await transport.call(WRITE)).toMatchObject({ item: { version: 2 } });
    expect(server.channels).toBe(2);
  });

  test("is kept while a call is under way", async () => {
    const replies: (() => void)[] = [];
    const { server, transport } = await serve((_, { reply }) => replies.push(() => reply(WRITTEN)));
    const writing = transport.call(WRITE);
    await server.received(1);
    for (let i = 0; i < 5; i++) await clock.pass(150);
    for (const reply of replies) reply();
    await writing;
    expect(server.channels).toBe(1);
  });
});

describe("closing", () => {
  test("lets the calls under way end, and refuses further ones", async () => {
    const replies: (() => void)[] = [];
    const { server, transport } = await serve((_, { reply }) => replies.push(() => reply(WRITTEN)));
    const writing = transport.call(WRITE);
    await server.received(1);
    const closing = transport.close();
    expect(await failure(transport.call(READ))).toBeInstanceOf(ClosedError);
    for (const reply of replies) reply();
    expect(await writing).toMatchObject({ item: { version: 2 } });
    await closing;
  });

  test("ends a client that never connected", async () => {
    await connect(`127.0.0.1:${await deadPort()}`).close();
  });
});

test("every failure but an abort is an error of the bridge", async () => {
  const { transport } = await serve(status(99), status(STATUS.DATA_LOSS));
  for (let i = 0; i < 2; i++) expect(await failure(transport.call(READ))).toBeInstanceOf(BridgeError);
});
