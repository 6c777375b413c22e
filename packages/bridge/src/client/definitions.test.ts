import { expect, test } from "vitest";
import { boolean, defineVariables, float, integer, string, toDefinition } from "./definitions.js";

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

test("a constraint that is undefined is not given", () => {
  expect(toDefinition("x", "float", 1, { min: undefined, max: 2 }, undefined).constraints).toHaveLength(1);
});

test("a type that does not exist is refused by name", () => {
  expect(() => toDefinition("x", "flaot", 1, {}, undefined)).toThrow(
    'unknown type "flaot"; known are float, integer, string, boolean',
  );
  expect(() => toDefinition("x", "toString", 1, {}, undefined)).toThrow('unknown type "toString"');
});
