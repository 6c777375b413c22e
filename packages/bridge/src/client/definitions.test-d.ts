/** What the compiler knows about a program's variables, and what it refuses. Read, never run. */
import { expectTypeOf, test } from "vitest";
import type { Client } from "./client.js";
import { boolean, defineVariables, float, integer, string } from "./definitions.js";
import type { Session } from "./session.js";
import type { BatchResults, Committed, Reading, VariableView, Written } from "./views.js";

const variables = defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }),
  max_tokens: integer(256, { min: 1 }),
  huge: integer(10n, { step: 2 }),
  model: string("gpt", { pattern: "^[a-z]", min_length: 1, max_length: 64 }, { description: "Which model" }),
  paused: boolean(false, { metadata: { owner: "ops" } }),
});
type Variables = typeof variables;
declare const client: Client;
declare const session: Session<Variables>;
declare const untyped: Session;

test("a client opens sessions of the type of their definitions", () => {
  expectTypeOf(client.session("run", variables)).resolves.toEqualTypeOf<Session<Variables>>();
  expectTypeOf(client.session("run")).resolves.toEqualTypeOf<Session>();
  expectTypeOf(client.session("run", undefined, { ttlMs: 1_000 })).resolves.toEqualTypeOf<Session>();
});

test("get, read and getMany give the types defined", () => {
  expectTypeOf(session.get("temperature")).resolves.toEqualTypeOf<number>();
  expectTypeOf(session.get("max_tokens")).resolves.toEqualTypeOf<number>();
  expectTypeOf(session.get("huge")).resolves.toEqualTypeOf<bigint>();
  expectTypeOf(session.get("model", { timeoutMs: 100 })).resolves.toEqualTypeOf<string>();
  expectTypeOf(session.get("paused")).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(session.get("model", { default: undefined })).resolves.toEqualTypeOf<string | undefined>();
  expectTypeOf(session.read("huge")).resolves.toEqualTypeOf<Reading<bigint>>();
  expectTypeOf(session.getMany(["temperature", "paused"])).resolves.toEqualTypeOf<{
    readonly temperature: number;
    readonly paused: boolean;
  }>();
});

test("a snapshot has all that is defined", () => {
  expectTypeOf(session.snapshot()).resolves.toHaveProperty("values").toEqualTypeOf<{
    readonly temperature: number;
    readonly max_tokens: number;
    readonly huge: bigint;
    readonly model: string;
    readonly paused: boolean;
  }>();
});

test("set, setMany and increment take and give the types defined", () => {
  expectTypeOf(session.set("temperature", 1)).resolves.toEqualTypeOf<Written<number>>();
  expectTypeOf(session.set("huge", 1n)).resolves.toEqualTypeOf<Written<bigint>>();
  expectTypeOf(session.increment("max_tokens")).resolves.toEqualTypeOf<Written<number>>();
  expectTypeOf(session.increment("huge", 5n)).resolves.toEqualTypeOf<Written<bigint>>();
  expectTypeOf(session.setMany({ temperature: 1, paused: true })).resolves.toEqualTypeOf<Committed>();
  expectTypeOf(session.setMany({ model: "a" }, { atomic: false })).resolves.toEqualTypeOf<BatchResults>();
});

test("names that are not defined do not compile", () => {
  // @ts-expect-error a name that is misspelled
  void session.get("temprature");
  // @ts-expect-error a name that is misspelled
  void session.set("temprature", 1);
  // @ts-expect-error a name that is misspelled
  void session.getMany(["temperature", "temprature"]);
  // @ts-expect-error a name that is misspelled
  void session.setMany({ temprature: 1 });
  // @ts-expect-error a name that is misspelled
  void session.history("temprature");
  // @ts-expect-error a name that is misspelled
  void session.delete("temprature");
});

test("values of another type do not compile", () => {
  // @ts-expect-error a string for a float
  void session.set("temperature", "0.5");
  // @ts-expect-error a bigint for an integer that is defined by a number
  void session.set("max_tokens", 1n);
  // @ts-expect-error a number for an integer that is defined by a bigint
  void session.set("huge", 1);
  // @ts-expect-error a number for a boolean
  void session.set("paused", 1);
  // @ts-expect-error no value at all
  void session.set("model", undefined);
  // @ts-expect-error a number for a string
  void session.setMany({ temperature: 1, model: 2 });
  // @ts-expect-error a string cannot be counted with
  void session.increment("model");
  // @ts-expect-error neither can a boolean
  void session.increment("paused", 1);
  // @ts-expect-error a number added to a bigint
  void session.increment("huge", 1);
  // @ts-expect-error a string made of a number
  void session.update("temperature", (temperature) => String(temperature));
  // @ts-expect-error a number is never a string
  void session.waitFor("temperature", (temperature) => temperature === "0.5");
});

test("functions are given values of the types defined", () => {
  void session.update("temperature", (temperature) => {
    expectTypeOf(temperature).toEqualTypeOf<number>();
    return temperature / 2;
  });
  void session.update("huge", async (huge) => huge + 1n);
  expectTypeOf(session.waitFor("paused")).resolves.toEqualTypeOf<boolean>();
  void session.waitFor("model", (model) => model.startsWith("gpt"));
});

test("constraints that a type does not take do not compile", () => {
  // @ts-expect-error a float has no step
  float(1, { step: 1 });
  // @ts-expect-error a float has no pattern
  float(1, { pattern: "a" });
  // @ts-expect-error an integer has no length
  integer(1, { min_length: 1 });
  // @ts-expect-error a string has no minimum
  string("a", { min: 1 });
  // @ts-expect-error the key is max_length
  string("a", { maxLength: 1 });
  // @ts-expect-error a boolean has no constraints
  boolean(true, { min: 0 });
  // @ts-expect-error the wrong type of operand
  float(1, { min: "0" });
});

test("initial values of another type do not compile", () => {
  // @ts-expect-error a bigint for a float
  float(1n);
  // @ts-expect-error a string for an integer
  integer("1");
  // @ts-expect-error a number for a string
  string(1);
  // @ts-expect-error a number for a boolean
  boolean(0);
  // @ts-expect-error a plain value is no definition
  defineVariables({ temperature: 0.7 });
});

test("a registration is checked by the name of its type", () => {
  expectTypeOf(session.register("note", "string", "a")).resolves.toEqualTypeOf<VariableView>();
  void client.sessions.registerVariable("run", "x", "integer", 1n, { constraints: { step: 5 } });
  // @ts-expect-error a type that does not exist
  void client.sessions.registerVariable("run", "x", "double", 1);
  // @ts-expect-error a value of another type
  void client.sessions.registerVariable("run", "x", "string", 1);
  // @ts-expect-error a constraint that the type does not take
  void client.sessions.registerVariable("run", "x", "float", 1, { constraints: { pattern: "a" } });
  // @ts-expect-error a type that does not exist
  void client.sessions.listVariables("run", { type: "double" });
});

test("a history holds values of any type, as the variable may have had another", () => {
  void session.history("temperature", { limit: 3 }).then(({ entries: [newest] }) => {
    expectTypeOf(newest?.value).toEqualTypeOf<number | bigint | string | boolean | undefined>();
    // @ts-expect-error frozen
    if (newest) newest.value = 1;
  });
});

test("a session without definitions takes any name, and values of all types", () => {
  expectTypeOf(untyped.get("x")).resolves.toEqualTypeOf<number | bigint | string | boolean>();
  expectTypeOf(untyped.getMany(["a", "b"])).resolves.toEqualTypeOf<{
    readonly a: number | bigint | string | boolean;
    readonly b: number | bigint | string | boolean;
  }>();
  expectTypeOf(untyped.increment("x", 2n)).resolves.toEqualTypeOf<Written<number | bigint>>();
  void untyped.set("x", "text");
  void untyped.setMany({ a: 1, b: true });
  // @ts-expect-error null is no value
  void untyped.set("x", null);
  // @ts-expect-error an object is no value
  void untyped.setMany({ a: {} });
});

test("definitions and answers cannot be changed", () => {
  // @ts-expect-error frozen
  variables.temperature = float(1);
  // @ts-expect-error frozen
  variables.temperature.initialValue = 1;
  void session.read("temperature").then((reading) => {
    // @ts-expect-error frozen
    reading.value = 1;
  });
});
