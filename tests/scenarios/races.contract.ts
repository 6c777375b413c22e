/** What no story can tell: the three clients at once on one variable, and what is too long to write down. */
import { beforeEach, describe, expect, test } from "vitest";
import { isSame } from "../tagged.js";
import type { Json, JsonObject } from "../vectors/files.js";
import { CLIENTS, type Driver } from "./driver.js";

/** What the races need. */
export interface Racing {
  readonly drivers: readonly Driver[];
  /** Where the bridge is. */
  readonly address: string;
}

/** The actor of each driver. */
const ME = "me";

/** @param racing asked when the tests begin */
export function races(racing: () => Racing): void {
  let drivers: readonly Driver[];
  let number = 0;

  beforeEach(async () => {
    const { address } = racing();
    drivers = racing().drivers;
    const session = `race ${++number}`;
    for (const driver of drivers) await driver.open(ME, { session, address });
    for (const driver of drivers) await driver.call(ME, "create_session");
  });

  /** Has every client do something many times, all at once. */
  async function allAtOnce(times: number, method: string, given: JsonObject): Promise<void> {
    await Promise.all(
      drivers.map(async (driver) => {
        for (let i = 0; i < times; i++) await driver.call(ME, method, given);
      }),
    );
  }

  /** What each client gives. */
  function fromEach(method: string, given: JsonObject = {}): Promise<readonly Json[]> {
    return Promise.all(drivers.map((driver) => driver.call(ME, method, given)));
  }

  function register(name: string, type: string, initial_value: JsonObject): Promise<Json> {
    return (drivers[0] as Driver).call(ME, "register_variable", { name, type, initial_value });
  }

  describe("all three clients at once", () => {
    test("count together and lose nothing", async () => {
      await register("hits", "integer", { int: "0" });
      await allAtOnce(100, "increment", { name: "hits", by: { int: "1" } });
      for (const read of await fromEach("read", { name: "hits" })) {
        expect(read).toMatchObject({ version: 301, revision: 302 });
        expect(isSame({ int: "300" }, (read as JsonObject)["value"])).toBe(true);
      }
    });

    test("update one variable together and lose nothing", async () => {
      await register("total", "integer", { int: "0" });
      await allAtOnce(30, "update_variable", { name: "total", add: { int: "1" } });
      for (const value of await fromEach("get_variable", { name: "total" }))
        expect(isSame({ int: "90" }, value)).toBe(true);
    });

    test("win one compare-and-set each time, never two", async () => {
      await register("owner", "string", { str: "nobody" });
      for (let version = 1; version <= 20; version++) {
        const answers = await Promise.all(
          drivers.map((driver) => {
            const given = { name: "owner", value: { str: driver.client }, expected_version: version };
            return driver.attempt(ME, "set_variable", given);
          }),
        );
        const winners = CLIENTS.filter((_, i) => answers[i]?.fails === undefined);
        expect(winners).toHaveLength(1);
        for (const { fails } of answers.filter(({ fails }) => fails !== undefined))
          expect(fails).toMatchObject({ class: "ConflictError", expected: version, current: version + 1 });
        for (const value of await fromEach("get_variable", { name: "owner" }))
          expect(value).toEqual({ str: winners[0] });
      }
    });

    test.each(CLIENTS)("see each batch of %s whole", async (writer) => {
      const [writing, ...reading] = [...drivers].sort((a) => (a.client === writer ? -1 : 1)) as [
        Driver,
        ...Driver[],
      ];
      const pair = (i: number): JsonObject => ({ left: { int: String(i) }, right: { int: String(-i) } });
      await writing.call(ME, "set_variables", { updates: pair(0) });
      let done = false;
      const write = async (): Promise<void> => {
        for (let i = 1; i <= 100; i++) await writing.call(ME, "set_variables", { updates: pair(i) });
        done = true;
      };
      const looks = async (reader: Driver): Promise<number> => {
        for (let looks = 1; ; looks++) {
          const last = done;
          const found = (await reader.call(ME, "get_variables", { names: ["left", "right"] })) as JsonObject;
          const [left, right] = ["left", "right"].map((name) => Object.values(found[name] as JsonObject)[0]);
          expect(Number(left) + Number(right)).toBe(0);
          if (last) return looks;
        }
      };
      const [, ...counts] = await Promise.all([write(), ...reading.map(looks)]);
      expect(Math.min(...(counts as number[]))).toBeGreaterThan(1);
    });

    test("list more variables than a page has, in the same order", async () => {
      const names = Array.from({ length: 1_100 }, (_, i) => `v${String(i).padStart(4, "0")}`);
      for (const part of [names.slice(0, 600), names.slice(600)]) {
        const updates = Object.fromEntries(part.map((name) => [name, { bool: true }]));
        await (drivers[0] as Driver).call(ME, "set_variables", { updates });
      }
      for (const listed of await fromEach("list_variables"))
        expect((listed as JsonObject[]).map(({ name }) => name)).toEqual(names);
    });

    test("are told that a history was longer than it is kept", async () => {
      await register("n", "integer", { int: "0" });
      await allAtOnce(20, "increment", { name: "n", by: { int: "1" } });
      for (const history of await fromEach("get_history", { name: "n" })) {
        const { entries, compacted } = history as { entries: readonly JsonObject[]; compacted: boolean };
        expect(compacted).toBe(true);
        expect(entries.map(({ version }) => version)).toEqual(Array.from({ length: 50 }, (_, i) => 61 - i));
      }
    });

    test("hand on a long text that has every width of UTF-8 and UTF-16", async () => {
      const text = "aé€😀\u0000\u2028\u{10ffff}\ud7ff\ue000\ufeff\u0301\r\n\\\"'".repeat(5_000);
      await register("text", "string", { str: "" });
      for (const driver of drivers) {
        await driver.call(ME, "set_variable", { name: "text", value: { str: driver.client + text } });
        for (const value of await fromEach("get_variable", { name: "text" }))
          expect((value as JsonObject)["str"] === driver.client + text).toBe(true);
      }
    });
  });
}
