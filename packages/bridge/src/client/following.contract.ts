/** What stands on watches, whatever the transport: callbacks, and the wait for a value. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClosedError, DeadlineError, VariableNotFoundError, WatchGapError } from "../core/errors.js";
import type { Client } from "./client.js";
import type { SessionEventView } from "./event-views.js";
import { failure, type TestBridge, variables, whileTimePasses } from "./test-bridge.contract.js";

/** Waits for what no event tells of. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise(setImmediate);
}

/** Runs the contract on clients of a transport. */
export function followingContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
  });
  afterEach(async () => {
    await client.close();
    await bridge.close();
  });

  describe(`${transport}: a listener`, () => {
    test("finds in the copy what it is called with, or what came later [ORD-2 accepts]", async () => {
      const session = await client.session("run", variables);
      await session.ready();
      const other = bridge.connect();
      const faults: unknown[] = [];
      let calls = 0;
      session.onChange(
        ["temperature"],
        ({ changes: [change] }) => {
          calls++;
          const seen = session.peek("temperature");
          if (seen < (change?.value as number)) faults.push([seen, change?.value]);
        },
        { onError: (error) => faults.push(error) },
      );
      for (let i = 1; i <= 100; i++) await other.sessions.updateVariable("run", "temperature", i / 100);
      await until(() => calls === 100);
      expect(faults).toEqual([]);
      await other.close();
    });

    test("is refused at once if it cannot be called, and so are names that are no list", async () => {
      const session = await client.session("run");
      const listener = (): void => {};
      const given = (names: unknown, listener: unknown): unknown =>
        session.onChange(names as string[], listener as () => void);
      expect(() => given(["x"], undefined)).toThrow("has to be a function, not undefined");
      expect(() => given("x", listener)).toThrow("names is a list of names, not one string");
      expect(() => given(listener, ["x"])).toThrow(TypeError);
      expect(() => session.watch("x" as unknown as string[])).toThrow(TypeError);
      await expect(session.getMany("x" as unknown as string[])).rejects.toThrow(TypeError);
    });

    test("is called with every commit, one after the other, until it is stopped [DOOR-10 accepts]", async () => {
      const session = await client.session("run", variables);
      const told: [unknown, unknown][] = [];
      const stop = session.onChange(["temperature"], ({ changes: [change] }) => {
        told.push([change?.previous, change?.value]);
      });
      await session.set("temperature", 1);
      await session.set("max_tokens", 5);
      await session.set("temperature", 2);
      await until(() => told.length === 2);
      expect(told).toEqual([
        [0.7, 1],
        [1, 2],
      ]);
      stop();
      stop();
      const watch = session.watch();
      await session.set("temperature", 0);
      await watch.next();
      expect(told).toHaveLength(2);
      await watch.return();
    });

    test("is waited for before it is called again, and may use and stop everything", async () => {
      const session = await client.session("run");
      const steps: string[] = [];
      const stop = session.onChange(undefined, async ({ revision }) => {
        steps.push(`begins ${revision}`);
        await session.get("x");
        steps.push(`ends ${revision}`);
        if (revision === 3) stop();
      });
      for (const value of [1, 2, 3]) await session.set("x", value);
      await until(() => steps.length === 4);
      expect(steps).toEqual(["begins 2", "ends 2", "begins 3", "ends 3"]);
    });

    test("has what it throws told to onError, and goes on [DOOR-10 refuses]", async () => {
      const session = await client.session("run");
      const errors: unknown[] = [];
      const seen: SessionEventView[] = [];
      const stop = session.onChange(
        undefined,
        (event) => {
          seen.push(event as SessionEventView);
          if (seen.length === 1) throw new Error("first");
          return Promise.reject(new Error("second"));
        },
        {
          onError: (error) => {
            errors.push(error);
            throw new Error("third");
          },
        },
      );
      const warned = warnings(bridge, 2);
      await session.set("x", 1);
      await session.set("x", 2);
      for (const { message } of await warned) expect(message).toBe("onError of onChange threw: third");
      expect(errors).toEqual([new Error("first"), new Error("second")]);
      stop();
    });

    test("warns the process of what nobody takes", async () => {
      const session = await client.session("run");
      const warned = warnings(bridge, 1);
      session.onChange(undefined, () => {
        throw new Error("mine");
      });
      await session.set("x", 1);
      const [warning] = await warned;
      expect(warning).toMatchObject({ message: "a listener of onChange threw: mine" });
      expect(warning?.cause).toEqual(new Error("mine"));
    });

    test("is told why it is called no more, but for its own signal", async () => {
      const session = await client.session("run");
      const other = bridge.connect();
      const theirs = await other.session("run");
      const stop = new AbortController();
      const errors: unknown[] = [];
      const onError = (error: unknown): unknown => errors.push(error);
      theirs.onChange(undefined, () => {}, { onError, signal: stop.signal });
      stop.abort();
      expect(() => theirs.onChange(undefined, () => {}, { signal: stop.signal })).toThrow();
      theirs.onChange(undefined, () => {}, { onError });
      // Nobody is told of a close who does not ask.
      theirs.onChange(undefined, () => {});
      await theirs.get("x", { default: 0 });
      await other.close();
      await until(() => errors.length > 0);
      expect(errors).toEqual([expect.any(ClosedError)]);
      await session.close();
    });
  });

  describe(`${transport}: a wait for a value`, () => {
    test("sees one that stands only for an instant", async () => {
      const session = await client.session("run", variables);
      const seen: number[] = [];
      const waiting = session.waitFor("max_tokens", (value) => seen.push(value) > 0 && value === 7);
      await until(() => seen.length > 0);
      for (let i = 1; i < 20; i++) void session.set("max_tokens", i);
      expect(await waiting).toBe(7);
      expect(seen).toEqual([256, 1, 2, 3, 4, 5, 6, 7]);
      await session.set("max_tokens", 1);
    });

    test("looks at one that is there, and at one that comes with its session", async () => {
      const waiting = client.sessions.waitForVariable("later", "x");
      await client.session("later", undefined);
      await client.sessions.registerVariable("later", "x", "integer", 5);
      expect(await waiting).toEqual({ id: "var_x_2", name: "x", type: "integer", value: 5, version: 1 });
      expect(await client.sessions.waitForVariable("later", "x")).toEqual(await waiting);
    });

    test("follows an id, which a name that is used again does not have", async () => {
      const session = await client.session("run");
      const { id } = await session.register("x", "integer", 1);
      const waiting = session.waitFor(id, (value) => value === 3);
      await session.set("x", 2);
      await session.set("x", 3);
      expect(await waiting).toBe(3);
      await session.delete("x");
      await session.register("x", "integer", 9);
      const error = await failure(
        whileTimePasses(
          bridge,
          session.waitFor(id, () => true, { timeoutMs: 1_000 }),
        ),
      );
      expect(error.cause).toBeInstanceOf(VariableNotFoundError);
    });

    test("goes on over deletions", async () => {
      const session = await client.session("run");
      await session.set("x", 1);
      const waiting = session.waitFor("x", (value) => value === "back");
      await session.delete("x");
      await client.sessions.deleteSession("run");
      await client.session("run");
      await session.set("x", "back");
      expect(await waiting).toBe("back");
    });

    test("ends in time and says why", async () => {
      const session = await client.session("run");
      const error = await failure(
        whileTimePasses(
          bridge,
          session.waitFor("x", () => true, { timeoutMs: 1_000 }),
        ),
      );
      expect(error).toBeInstanceOf(DeadlineError);
      expect(error).toMatchObject({
        message: 'the wait for "x" ended after 1000 ms: Variable not found: x',
        identifier: "x",
        sessionId: "run",
      });
      await session.set("x", 1);
      const other = await failure(
        whileTimePasses(
          bridge,
          session.waitFor("x", () => false, { timeoutMs: 1_000 }),
        ),
      );
      expect(other.message).toBe(
        'the wait for "x" ended after 1000 ms: its value was not the one waited for',
      );
      expect(other.cause).toBeUndefined();
    });

    test.each(["what it reads", "what it is told"])(
      "ends with its signal while its predicate looks at %s",
      async (what) => {
        const session = await client.session("run");
        await session.set("x", 1);
        const unheard: unknown[] = [];
        const hear = (reason: unknown) => unheard.push(reason);
        process.on("unhandledRejection", hear);
        const stop = new AbortController();
        const reason = new Error("changed my mind");
        const abort = () => stop.abort(reason);
        const wanted = what === "what it reads" ? 1 : 2;
        const waiting = session.waitFor(
          "x",
          async (value) => {
            if (value === 1 && wanted === 2) await session.set("x", 2);
            if (value === wanted) abort();
            return false;
          },
          { signal: stop.signal },
        );
        expect(await failure(waiting)).toBe(reason);
        // The process is told of what nobody takes when the turn is over.
        await new Promise(setImmediate);
        process.off("unhandledRejection", hear);
        expect(unheard).toEqual([]);
      },
    );

    test("ends with its signal, with its client, and with what its predicate throws", async () => {
      const session = await client.session("run");
      const stop = new AbortController();
      const aborted = failure(session.waitFor("x", () => true, { signal: stop.signal }));
      const reason = new Error("changed my mind");
      stop.abort(reason);
      expect(await aborted).toBe(reason);
      expect(await failure(session.waitFor("x", () => true, { signal: stop.signal }))).toBe(reason);
      await session.set("x", 1);
      const mine = new WatchGapError("WATCH_GAP", "the predicate's");
      const thrown = session.waitFor("x", () => {
        throw mine;
      });
      expect(await failure(thrown)).toBe(mine);
      const closed = failure(session.waitFor("y"));
      await client.close();
      expect(await closed).toBeInstanceOf(ClosedError);
      for (const timeoutMs of [0, -1, Number.NaN])
        expect(
          await failure(client.sessions.waitForVariable("run", "x", () => true, { timeoutMs })),
        ).toBeInstanceOf(RangeError);
    });
  });
}

/** The next warnings of ours. */
async function warnings({ onWarning = onProcessWarning }: TestBridge, count: number): Promise<Error[]> {
  const seen: Error[] = [];
  const see = (warning: Error): void => {
    if (warning.name === "SnakepitBridgeWarning") seen.push(warning);
  };
  const stop = onWarning(see);
  await until(() => seen.length >= count);
  stop();
  return seen;
}

function onProcessWarning(see: (warning: Error) => void): () => void {
  process.on("warning", see);
  return () => process.off("warning", see);
}
