/** Variables as properties, and pinned snapshots, whatever the transport. */
import { setImmediate } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ClosedError, NotReadyError, TypeMismatchError, VariableNotFoundError } from "../core/errors.js";
import type { Client, SessionOptions } from "./client.js";
import { defineVariables, float, integer, json, string } from "./definitions.js";
import type { Session } from "./session.js";
import { failure, stepsApart, type TestBridge } from "./test-bridge.contract.js";

const params = defineVariables({
  prompt: string("p0"),
  temperature: float(0),
  steps: integer(0n),
  plan: json<{ steps: number[] }>({ steps: [0] }),
  // What an object has anyway, and what makes one a promise.
  constructor: integer(0),
  // biome-ignore lint/suspicious/noThenProperty: that is what is tested
  then: integer(0),
});
type Params = typeof params;

/** Runs the contract on clients of a transport. */
export function bindingsContract(transport: string, start: () => Promise<TestBridge>): void {
  let bridge: TestBridge;
  let client: Client;
  let other: Client;
  beforeEach(async () => {
    bridge = await start();
    client = bridge.connect();
    other = bridge.connect();
  });
  afterEach(async () => {
    await client.close();
    await other.close();
    await bridge.close();
  });
  const open = (options: SessionOptions = {}) => client.session("s", params, options);
  /** Another program sets all to a number, in one commit, and this one has come to it. */
  const others = async (session: Session<Params>, number: number): Promise<void> => {
    const updates = { prompt: `p${number}`, temperature: number, steps: BigInt(number) };
    const { point } = await other.sessions.updateVariables("s", updates);
    await session.read("prompt", { after: point as string });
  };

  describe(`${transport}: variables as properties`, () => {
    test("are what the variables hold at the moment [DOOR-10 accepts]", async () => {
      const session = await open();
      await session.ready();
      const { variables } = session;
      expect(session.variables).toBe(variables);
      expect(variables.temperature).toBe(0);
      await session.set("temperature", 0.5);
      expect(variables.temperature).toBe(0.5);
      await others(session, 3);
      expect({ ...variables }).toEqual({
        prompt: "p3",
        temperature: 3,
        steps: 3n,
        plan: { steps: [0] },
        constructor: 0,
        // biome-ignore lint/suspicious/noThenProperty: that is what is tested
        then: 0,
      });
      expect(Object.keys(variables)).toEqual(Object.keys(params));
      expect(variables.plan).toBe(variables.plan);
      expect("toString" in variables).toBe(false);
    });

    test("are not there without a current copy, without definitions, and after a deletion [DOOR-10 refuses]", async () => {
      const session = await open();
      expect(() => session.variables.temperature).toThrow(NotReadyError);
      await session.ready();
      expect(() => {
        (session.variables as { temperature: number }).temperature = 1;
      }).toThrow(TypeError);
      expect(() => {
        (session.variables as unknown as { other: number }).other = 1;
      }).toThrow(TypeError);
      await session.delete("temperature");
      expect(() => session.variables.temperature).toThrow(VariableNotFoundError);
      await session.register("temperature", "string", "warm");
      expect(() => session.variables.temperature).toThrow(TypeMismatchError);
      const untyped = await client.session("s");
      expect(() => untyped.variables).toThrow("variables needs definitions: use peek(name)");
      const { variables } = session;
      await session.close();
      expect(() => variables.prompt).toThrow(ClosedError);
    });
  });

  describe(`${transport}: a snapshot`, () => {
    test("says where a watch goes on from it, and misses nothing", async () => {
      const session = await open();
      const { point, values } = await session.snapshot();
      expect(values.temperature).toBe(0);
      await others(session, 1);
      const watch = session.watch(["temperature"], { after: point });
      expect((await watch.next()).value).toMatchObject({ changes: [{ name: "temperature", value: 1 }] });
      await watch.return();
    });

    test("has what was true at its revision, pinned or not, whatever is told meanwhile [ORD-8 accepts]", async () => {
      const session = await open();
      await session.ready();
      let value = 0;
      const write = () => other.sessions.updateVariable("s", "temperature", ++value);
      for (const take of [() => session.snapshot(), () => session.withSnapshot((pinned) => pinned)])
        for (let steps = 0; steps < 20; steps++) {
          const [first, written] = await stepsApart(steps, take, write);
          const isBefore = first.revision < (written.revision as number);
          expect(first.values.temperature).toBe(isBefore ? value - 1 : value);
          await session.read("temperature", { after: written.point });
        }
    });
  });

  describe(`${transport}: a pinned snapshot`, () => {
    /** A request as many programs have one: it reads its configuration, waits for something, and reads it again. */
    const request = async (session: Session<Params>, meanwhile: () => Promise<void>) => {
      const before = [await session.get("prompt"), await session.get("temperature")];
      await meanwhile();
      return [...before, await session.get("prompt"), await session.get("temperature")];
    };

    test("keeps a request from a configuration that changes amid it [ORD-22 accepts]", async () => {
      const session = await open();
      await session.ready();
      // Without one it sees both.
      expect(await request(session, () => others(session, 1))).toEqual(["p0", 0, "p1", 1]);
      expect(await session.withSnapshot(() => request(session, () => others(session, 2)))).toEqual([
        "p1",
        1,
        "p1",
        1,
      ]);
      expect(await session.get("prompt")).toBe("p2");
    });

    test.each<SessionOptions>([{ cache: "live" }, { cache: "ttl" }, { cache: "off" }])(
      "answers every read, in the mode %o",
      async (options) => {
        const session = await open(options);
        await session.withSnapshot(async (snapshot) => {
          expect(snapshot.values.prompt).toBe("p0");
          await others(session, 1);
          await session.set("temperature", 9);
          await setImmediate();
          const { revision } = snapshot;
          expect(await session.get("prompt")).toBe("p0");
          expect(await session.get("prompt", { timeoutMs: 1_000, default: "none" })).toBe("p0");
          expect(await session.get("steps")).toBe(0n);
          expect(session.peek("temperature")).toBe(0);
          expect(session.variables.plan).toEqual({ steps: [0] });
          expect(await session.read("temperature")).toMatchObject({ value: 0, version: 1, revision });
          expect(await session.getMany(["prompt", "temperature"])).toEqual({ prompt: "p0", temperature: 0 });
          expect(await session.snapshot()).toEqual(snapshot);
          // In whatever is waited for.
          const inner = async () => [await setImmediate(session.peek("prompt")), session.peek("prompt")];
          expect(await Promise.all([inner(), inner()])).toEqual([
            ["p0", "p0"],
            ["p0", "p0"],
          ]);
          await session.withSnapshot(async (again) => expect(again).toEqual(snapshot));
        });
        expect(await session.get("prompt", { bypassCache: true })).toBe("p1");
      },
    );

    test("is not for what has to be fresh, nor for what is outside [ORD-22 refuses]", async () => {
      const session = await open();
      const second = await client.session("s", params);
      const heard: unknown[] = [];
      let go = (): void => {};
      const gate = new Promise<void>((resolve) => {
        go = resolve;
      });
      const outside = gate.then(() => session.get("prompt"));
      let end = (): void => {};
      const ended = new Promise<void>((resolve) => {
        end = resolve;
      });
      let left: Promise<string> | undefined;
      await session.withSnapshot(async () => {
        const told = new Promise<void>((resolve) => {
          session.onChange(["prompt"], async () => {
            heard.push(await session.get("prompt"));
            resolve();
          });
        });
        await others(session, 1);
        go();
        expect(await outside).toBe("p1");
        expect(await session.get("prompt", { bypassCache: true })).toBe("p1");
        expect(await session.get("prompt", { maxAgeMs: 60_000 })).toBe("p1");
        expect((await session.snapshot({ bypassCache: true })).values.prompt).toBe("p1");
        expect(await second.get("prompt")).toBe("p1");
        expect(await session.waitFor("prompt", (prompt) => prompt === "p1")).toBe("p1");
        expect(await session.update("temperature", (value) => value + 1)).toMatchObject({ value: 2 });
        expect(await session.get("temperature")).toBe(0);
        await told;
        left = ended.then(() => session.get("prompt"));
      });
      end();
      expect(heard).toEqual(["p1"]);
      // Started within, and left behind.
      expect(await left).toBe("p1");
    });

    test.each<SessionOptions>([{ cache: "live" }, { cache: "ttl" }, { cache: "off" }])(
      "within another is that one, however fresh it was to be, in the mode %o [ORD-22 accepts]",
      async (options) => {
        const session = await open(options);
        await session.withSnapshot(async (snapshot) => {
          await others(session, 1);
          const again = async (inner: unknown) => {
            expect(inner).toEqual(snapshot);
            expect([await session.get("prompt"), session.peek("prompt")]).toEqual(["p0", "p0"]);
          };
          await session.withSnapshot(again, { bypassCache: true });
          // Which only a snapshot that is not pinned may be.
          expect((await session.snapshot({ bypassCache: true })).values.prompt).toBe("p1");
        });
        await session.withSnapshot(({ values }) => expect(values.prompt).toBe("p1"), { bypassCache: true });
      },
    );

    test("is of its session, and another of another", async () => {
      const session = await open();
      const another = await client.session("t", params);
      await session.withSnapshot(() =>
        another.withSnapshot(async () => {
          await others(session, 1);
          await another.set("prompt", "q1");
          expect([await session.get("prompt"), await another.get("prompt")]).toEqual(["p0", "p0"]);
        }),
      );
      expect([await session.get("prompt"), await another.get("prompt")]).toEqual(["p1", "q1"]);
    });

    test("ends with its function, however that ends, and begins only with a snapshot", async () => {
      const session = await open();
      const problem = new Error("mine");
      const fails = session.withSnapshot(() => {
        throw problem;
      });
      expect(await failure(fails)).toBe(problem);
      expect(await session.withSnapshot(() => 5)).toBe(5);
      await others(session, 1);
      expect(await session.get("prompt")).toBe("p1");
      await session.delete("plan");
      let isCalled = false;
      const call = () => {
        isCalled = true;
      };
      expect(await failure(session.withSnapshot(call))).toBeInstanceOf(VariableNotFoundError);
      const untyped = await client.session("s");
      expect(await failure(untyped.withSnapshot(call))).toBeInstanceOf(TypeError);
      await session.close();
      expect(await failure(session.withSnapshot(call))).toBeInstanceOf(ClosedError);
      expect(isCalled).toBe(false);
    });

    test("is whole, while a pair is written all the time", async () => {
      const session = await open();
      await session.ready();
      let isOver = false;
      const writing = (async () => {
        for (let number = 1; !isOver; number++) {
          await other.sessions.updateVariables("s", { temperature: number, steps: BigInt(number) });
          await setImmediate();
        }
      })();
      const seen = new Set<number>();
      for (let round = 0; round < 500; round++) {
        await session.withSnapshot(async () => {
          const temperature = await session.get("temperature");
          await setImmediate();
          expect(await session.get("steps")).toBe(BigInt(temperature));
          seen.add(temperature);
        });
      }
      isOver = true;
      await writing;
      expect(seen.size).toBeGreaterThan(10);
    });
  });
}
