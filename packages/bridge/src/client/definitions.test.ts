import { expect, test } from "vitest";
import {
  boolean,
  choice,
  defineVariables,
  float,
  integer,
  json,
  string,
  toDefinition,
} from "./definitions.js";

test("definitions are plain frozen data that share nothing with what they were made from", () => {
  const constraints = { min: 0, max: 2 };
  const given = { temperature: float(0.7, constraints), model: string("gpt") };
  const variables = defineVariables(given);
  constraints.max = 99;
  given.temperature = float(5);
  expect(variables.temperature).toEqual({
    type: "float",
    initialValue: 0.7,
    constraints: { min: 0, max: 2 },
    metadata: new Map(),
  });
  expect(Object.isFrozen(variables)).toBe(true);
  expect(Object.isFrozen(variables.temperature)).toBe(true);
  expect(Object.isFrozen(variables.temperature.constraints)).toBe(true);
});

test("a description is metadata", () => {
  expect(string("a", {}, { description: "What", metadata: { unit: "s" } }).metadata).toEqual(
    new Map([
      ["unit", "s"],
      ["description", "What"],
    ]),
  );
  expect(boolean(false, { description: "Whether" }).metadata.get("description")).toBe("Whether");
});

test("a definition is registered in the arms of its type [VAL-3]", () => {
  const { type, initialValue, constraints, metadata } = integer(10, { min: 1, step: 3n });
  expect(toDefinition("huge", type, initialValue, constraints, metadata)).toEqual({
    name: "huge",
    type: "integer",
    initialValue: { kind: "integer", value: 10n },
    constraints: [
      { key: "min", values: [{ kind: "integer", value: 1n }] },
      { key: "step", values: [{ kind: "integer", value: 3n }] },
    ],
    metadata: [],
  });
});

test("a choice is registered with its list, which is a copy", () => {
  const colours = ["red", "green"];
  const { type, initialValue, constraints, metadata } = choice(colours, "red", { description: "Which" });
  colours.push("blue");
  expect(Object.isFrozen(constraints.choices)).toBe(true);
  expect(toDefinition("colour", type, initialValue, constraints, metadata)).toEqual({
    name: "colour",
    type: "choice",
    initialValue: { kind: "string", value: "red" },
    constraints: [
      {
        key: "choices",
        values: [
          { kind: "string", value: "red" },
          { kind: "string", value: "green" },
        ],
      },
    ],
    metadata: [["description", "Which"]],
  });
});

test("a json value is registered as its text, and is a frozen copy", () => {
  const given = { layers: [64, 64] };
  const { type, initialValue, constraints, metadata } = json<{ layers: number[] }>(given);
  given.layers.push(1);
  expect(initialValue).toEqual({ layers: [64, 64] });
  expect(Object.isFrozen(initialValue.layers)).toBe(true);
  expect(toDefinition("net", type, initialValue, constraints, metadata)).toMatchObject({
    type: "json",
    initialValue: { kind: "json", value: '{"layers":[64,64]}' },
    constraints: [],
  });
});

test("an initial json value that is none is refused where it is defined, with the place", () => {
  expect(() => json<unknown>({ a: [undefined] })).toThrow(
    expect.objectContaining({
      name: "InvalidInputError",
      reason: "INVALID_VALUE",
      message: "the initial value.a[0] is undefined, which JSON does not have: leave it out, or use null",
    }),
  );
});

test("a constraint that is undefined is not given", () => {
  expect(toDefinition("x", "float", 1, { min: undefined, max: 2 }, undefined).constraints).toHaveLength(1);
});

test("a type that does not exist is refused by name", () => {
  expect(() => toDefinition("x", "flaot", 1, {}, undefined)).toThrow(
    'unknown type "flaot"; known are float, integer, string, boolean, choice, json',
  );
  expect(() => toDefinition("x", "toString", 1, {}, undefined)).toThrow('unknown type "toString"');
});
