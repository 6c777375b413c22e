import { describe, expect, test } from "vitest";
import { choice, float } from "../../client/definitions.js";
import { definedIn } from "../defined.js";
import { namedInPython } from "./names.js";

const number = float(0);
const named = (...names: string[]) =>
  namedInPython(definedIn(Object.fromEntries(names.map((name) => [name, number])))).map(
    ({ attribute }) => attribute,
  );

describe("attributes", () => {
  test.each([
    ["temperature", "temperature"],
    ["maxTokens", "maxTokens"],
    ["learning.rate", "learning_rate"],
    ["warm-up steps", "warm_up_steps"],
    ["2x", "v2x"],
    ["_hidden", "v_hidden"],
    ["__init__", "v__init__"],
    ["-", "v_"],
    ["😀", "v_"],
    ["class", "class_"],
    ["None", "None_"],
    ["match", "match"],
    ["float", "float_"],
    ["self", "self_"],
    ["DEFINITIONS", "DEFINITIONS_"],
    ["温度", "温度"],
    ["ﬁt", "fit"],
    ["x²", "x2"],
    ["\u0301x", "v\u0301x"],
  ])("%j is %s", (name, attribute) => {
    expect(named(name)).toEqual([attribute]);
  });

  test.each([
    ["a.b", "a_b", "a_b"],
    ["fit", "ﬁt", "fit"],
    ["class", "class_", "class_"],
  ])("%j and %j would both be %s, and are refused", (one, other, attribute) => {
    expect(() => named("x", one, other)).toThrow(
      `"${one}" and "${other}" would both be called ${attribute} in Python: rename one of them`,
    );
  });
});

describe("the types of choices", () => {
  const choices = (...names: string[]) =>
    namedInPython(definedIn(Object.fromEntries(names.map((name) => [name, choice(["a"], "a")])))).map(
      ({ choice }) => choice,
    );

  test("are named after their variables", () => {
    expect(choices("phase", "warm_up.kind", "class", "2x", "温度")).toEqual([
      "PhaseChoice",
      "WarmUpKindChoice",
      "ClassChoice",
      "V2xChoice",
      "温度Choice",
    ]);
  });

  test("are refused if two are called the same, or one as an attribute", () => {
    expect(() => choices("a_b", "aB")).toThrow('"a_b" and "aB" would both be called ABChoice in Python');
    const variables = definedIn({ PhaseChoice: number, phase: choice(["a"], "a") });
    expect(() => namedInPython(variables)).toThrow(
      '"PhaseChoice" and "phase" would both be called PhaseChoice in Python',
    );
  });
});
