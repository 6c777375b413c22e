/** What the compiler knows about a program's variables, and what it refuses. Read, never run. */
import { expectTypeOf, test } from "vitest";
import type { Client } from "./client.js";
import { boolean, choice, defineVariables, float, integer, json, string } from "./definitions.js";
import type { JsonValue } from "./json.js";
import type { Session } from "./session.js";
import type { BatchResults, Committed, Reading, VariableView, Written } from "./views.js";

const variables = defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }),
  max_tokens: integer(256, { min: 1 }),
  huge: integer(10n, { step: 2 }),
  model: string("gpt", { pattern: "^[a-z]", min_length: 1, max_length: 64 }, { description: "Which model" }),
  paused: boolean(false, { metadata: { owner: "ops" } }),
  phase: choice(["warm-up", "main"], "warm-up"),
  plan: json<Plan>({ steps: ["a"], nested: { rates: [0.1] } }),
  extra: json(null),
});
/** An interface, which TypeScript takes for no index signature. */
interface Plan {
  steps: string[];
  note?: string;
  nested: { rates: [number] };
}
interface FrozenPlan {
  readonly steps: readonly string[];
  readonly note?: string;
  readonly nested: { readonly rates: readonly [number] };
}
declare const names: readonly string[];
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
  expectTypeOf(session.get("phase")).resolves.toEqualTypeOf<"warm-up" | "main">();
  expectTypeOf(session.get("plan")).resolves.toEqualTypeOf<FrozenPlan>();
  expectTypeOf(session.read("huge")).resolves.toEqualTypeOf<Reading<bigint>>();
  expectTypeOf(session.getMany(["temperature", "paused"])).resolves.toEqualTypeOf<{
    readonly temperature: number;
    readonly paused: boolean;
  }>();
});

test("variables are properties of the types defined, and read only", () => {
  expectTypeOf(session.variables.temperature).toEqualTypeOf<number>();
  expectTypeOf(session.variables.phase).toEqualTypeOf<"warm-up" | "main">();
  expectTypeOf(session.variables.plan).toEqualTypeOf<FrozenPlan>();
  // @ts-expect-error not defined
  void session.variables.nothing;
  // @ts-expect-error a write waits: set
  session.variables.temperature = 1;
  expectTypeOf(session.withSnapshot(({ values }) => values.huge)).resolves.toEqualTypeOf<bigint>();
  expectTypeOf(session.withSnapshot(async ({ revision }) => revision)).resolves.toEqualTypeOf<number>();
});

test("a snapshot has all that is defined", () => {
  expectTypeOf(session.snapshot()).resolves.toHaveProperty("values").toEqualTypeOf<{
    readonly temperature: number;
    readonly max_tokens: number;
    readonly huge: bigint;
    readonly model: string;
    readonly paused: boolean;
    readonly phase: "warm-up" | "main";
    readonly plan: FrozenPlan;
    readonly extra: JsonValue;
  }>();
});

test("a choice is one of its list, and a list that the compiler does not know is of strings", () => {
  expectTypeOf(choice(names, "a")).toEqualTypeOf<ReturnType<typeof choice<readonly string[]>>>();
  expectTypeOf(session.set("phase", "main")).resolves.toEqualTypeOf<Written<"warm-up" | "main">>();
  void session.setMany({ phase: "main" });
  // @ts-expect-error not in the list
  choice(["red", "green"], "blue");
  // @ts-expect-error a list of one kind only
  choice([1, 2], 1);
  // @ts-expect-error there is no choice from nothing
  choice([], "a");
  // @ts-expect-error a choice has its list and no other constraints
  choice({ choices: ["a"] }, "a");
  // @ts-expect-error not in the list
  void session.set("phase", "mian");
  // @ts-expect-error not in the list
  void session.setMany({ phase: "mian" });
  // @ts-expect-error a choice cannot be counted with
  void session.increment("phase");
});

test("a json value has the type that is declared, and is never written to", () => {
  void session.set("plan", { steps: [], nested: { rates: [1] } });
  void session.set("extra", { a: [1, "b", null] });
  void session.get("plan").then((plan) => {
    // @ts-expect-error what is read is frozen
    plan.steps.push("b");
    // @ts-expect-error at every depth
    plan.nested.rates[0] = 1;
  });
  // @ts-expect-error not as declared
  void session.set("plan", { steps: [1], nested: { rates: [1] } });
  // @ts-expect-error JSON has no undefined
  void session.set("extra", undefined);
  // @ts-expect-error JSON has no bigint
  void session.set("extra", 1n);
  // @ts-expect-error JSON has no dates
  json(new Date());
  // @ts-expect-error a json value cannot be counted with, though it may be a number
  void session.increment("extra");
  // @ts-expect-error nothing limits json
  json(1, { min: 0 });
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
  void client.sessions.registerVariable("run", "x", "choice", "a", { constraints: { choices: ["a"] } });
  void client.sessions.registerVariable("run", "x", "json", { a: [1] });
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
    expectTypeOf(newest?.value).toEqualTypeOf<bigint | JsonValue | undefined>();
    // @ts-expect-error frozen
    if (newest) newest.value = 1;
  });
});

test("a watch holds values by the names of its variables", () => {
  void session
    .watch(["temperature", "phase"])
    .next()
    .then(({ value: event }) => {
      for (const change of event?.changes ?? []) {
        expectTypeOf(change.name).toEqualTypeOf<"temperature" | "phase">();
        if (change.name === "temperature") expectTypeOf(change.previous).toEqualTypeOf<number | undefined>();
        else expectTypeOf(change.value).toEqualTypeOf<"warm-up" | "main" | undefined>();
        // @ts-expect-error frozen
        change.version = 1;
      }
    });
  // @ts-expect-error a name that is not defined
  void session.watch(["temprature"]);
  void untyped
    .watch(["anything"])
    .next()
    .then(({ value: event }) => {
      expectTypeOf(event?.changes[0]?.value).toEqualTypeOf<bigint | JsonValue | undefined>();
    });
});

test("a session without definitions takes any name, and values of all types", () => {
  expectTypeOf(untyped.get("x")).resolves.toEqualTypeOf<bigint | JsonValue>();
  expectTypeOf(untyped.getMany(["a", "b"])).resolves.toEqualTypeOf<{
    readonly a: bigint | JsonValue;
    readonly b: bigint | JsonValue;
  }>();
  expectTypeOf(untyped.increment("x", 2n)).resolves.toEqualTypeOf<Written<number | bigint>>();
  void untyped.set("x", "text");
  void untyped.setMany({ a: 1, b: true, c: { d: [null] } });
  // @ts-expect-error undefined is no value
  void untyped.set("x", undefined);
  // @ts-expect-error a date is no value
  void untyped.setMany({ a: new Date() });
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
