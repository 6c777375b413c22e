/**
 * What a program's variables are, written once: `defineVariables` gives names, types and limits to the bridge and to
 * the compiler alike.
 *
 * The bridge enforces the limits for every writer in every language; the compiler knows the names and the types of the
 * values. Decorated classes were considered; plain frozen data can be shared, listed and compared.
 */
import type { Constraint } from "../core/constraints.js";
import { errorFor } from "../core/errors.js";
import { quoteName } from "../core/names.js";
import { isTypeName, TYPE_NAMES, type TypeName } from "../core/values/types.js";
import type { Definition } from "../core/variable.js";
import { type MetadataInput, toMetadata } from "./arguments.js";
import { type JsonValue, readJson, writeJson } from "./json.js";
import { toLiteral, toOperands, type VariableValue } from "./values.js";

/** Limits on a float, both inclusive. NaN satisfies neither. */
export interface FloatConstraints {
  readonly min?: number;
  readonly max?: number;
}

/** Limits on an integer, inclusive. */
export interface IntegerConstraints {
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  /** Only multiples of this, counted from `min`, or from 0 without it. */
  readonly step?: number | bigint;
}

/** Limits on a string. The keys are those of the contract, so that they are the same in every language. */
export interface StringConstraints {
  /** In code points. */
  readonly min_length?: number;
  /** In code points. */
  readonly max_length?: number;
  /** RE2 syntax, searched anywhere in the text: anchor it with `^` and `$` if all of it has to match. */
  readonly pattern?: string;
}

/** The list that a choice is from: at most 1,000 texts, of 64 KiB together. */
export interface ChoiceConstraints<Choice extends string = string> {
  readonly choices: readonly Choice[];
}

/** Nothing limits a boolean. */
export type BooleanConstraints = Readonly<Record<string, never>>;
/** Nothing limits a json value. */
export type JsonConstraints = Readonly<Record<string, never>>;

/** What people should know about a variable. */
export interface DefinitionOptions {
  /** Shown as metadata `description`. */
  readonly description?: string;
  readonly metadata?: MetadataInput;
}

interface Defines<Type extends TypeName, Value, Constraints> {
  readonly type: Type;
  /** What the variable holds until somebody sets it. An existing variable keeps its value. */
  readonly initialValue: Value;
  readonly constraints: Constraints;
  readonly metadata: ReadonlyMap<string, string>;
}

export type FloatDefinition = Defines<"float", number, FloatConstraints>;
/** `number`: reads answer numbers and refuse what a number cannot hold exactly. `bigint`: reads answer bigints. */
export type IntegerDefinition<Value extends number | bigint> = Defines<"integer", Value, IntegerConstraints>;
export type StringDefinition = Defines<"string", string, StringConstraints>;
export type BooleanDefinition = Defines<"boolean", boolean, BooleanConstraints>;
export type ChoiceDefinition<Choice extends string = string> = Defines<
  "choice",
  Choice,
  ChoiceConstraints<Choice>
>;
export type JsonDefinition<Value = JsonValue> = Defines<"json", Value, JsonConstraints>;

/** One variable, as `float`, `integer`, `string`, `boolean`, `choice` and `json` make them. */
export type VariableDefinition =
  | FloatDefinition
  | IntegerDefinition<number>
  | IntegerDefinition<bigint>
  | StringDefinition
  | BooleanDefinition
  | ChoiceDefinition
  | JsonDefinition<unknown>;

/** Variables by name. */
export type Definitions = Readonly<Record<string, VariableDefinition>>;

/** The names that definitions define. */
export type NameOf<D extends Definitions> = keyof D & string;
/** The type of the value of a defined variable. Of any variable, where nothing is defined. */
export type ValueOf<D extends Definitions, N extends NameOf<D>> = VariableDefinition extends D[N]
  ? VariableValue
  : D[N]["initialValue"];
/** The values of defined variables by name. */
export type ValuesOf<D extends Definitions, N extends NameOf<D> = NameOf<D>> = {
  readonly [Name in N]: ValueOf<D, Name>;
};
/** The names of the defined variables that can be counted with. */
export type NumericNameOf<D extends Definitions> = {
  [N in NameOf<D>]: [Extract<D[N]["type"], "float" | "integer">] extends [never] ? never : N;
}[NameOf<D>];

/** A type with everything in it readonly, as what is read from a json variable is. */
export type Frozen<T> = JsonValue extends T
  ? T
  : T extends object
    ? { readonly [K in keyof T]: Frozen<T[K]> }
    : T;

/** Defines a float: a binary64 number, every one of them, NaN and the infinities included. */
export function float(
  initialValue: number,
  constraints: FloatConstraints = {},
  options: DefinitionOptions = {},
): FloatDefinition {
  return define("float", initialValue, constraints, options);
}

/**
 * Defines an integer of signed 64 bit. With a number as initial value, values are numbers, and reading one beyond
 * 2^53 − 1 fails; with a bigint, values are bigints.
 *
 * @example
 * integer(256, { min: 1 }) // get() gives 256
 * integer(0n) // get() gives 0n
 */
export function integer(
  initialValue: number,
  constraints?: IntegerConstraints,
  options?: DefinitionOptions,
): IntegerDefinition<number>;
export function integer(
  initialValue: bigint,
  constraints?: IntegerConstraints,
  options?: DefinitionOptions,
): IntegerDefinition<bigint>;
export function integer(
  initialValue: number | bigint,
  constraints: IntegerConstraints = {},
  options: DefinitionOptions = {},
): IntegerDefinition<number> | IntegerDefinition<bigint> {
  return define("integer", initialValue, constraints, options) as IntegerDefinition<number>;
}

/** Defines a string of well-formed Unicode. */
export function string(
  initialValue: string,
  constraints: StringConstraints = {},
  options: DefinitionOptions = {},
): StringDefinition {
  return define("string", initialValue, constraints, options);
}

/** Defines a boolean. Nothing can limit it, so there are no constraints to give. */
export function boolean(initialValue: boolean, options: DefinitionOptions = {}): BooleanDefinition {
  return define("boolean", initialValue, {}, options);
}

/**
 * Defines a choice: one of a list of texts. The compiler knows the list.
 *
 * @example
 * choice(["draft", "final"], "draft") // get() gives "draft" | "final"
 */
export function choice<const Choices extends readonly string[]>(
  choices: Choices,
  initialValue: NoInfer<Choices>[number],
  options: DefinitionOptions = {},
): ChoiceDefinition<Choices[number]> {
  return define("choice", initialValue, { choices: Object.freeze([...choices]) }, options);
}

/**
 * Defines a variable that holds any JSON: objects, arrays, texts, numbers, booleans and null, nested at most 64 deep.
 * Reads give a frozen value, a new one each time. What its values look like can be declared, and is not checked.
 *
 * The initial value is copied, so what JSON does not have is refused here: InvalidInputError.
 *
 * @example
 * json({ layers: [64, 64] }) // get() gives a JsonValue
 * json<{ layers: number[] }>({ layers: [64, 64] }) // get() gives { readonly layers: readonly number[] }
 */
export function json<Value = JsonValue>(
  initialValue: NoInfer<Value>,
  options: DefinitionOptions = {},
): JsonDefinition<Frozen<NoInfer<Value>>> {
  const literal = writeJson(initialValue);
  if (typeof literal === "string") throw errorFor("INVALID_VALUE", `the initial ${literal}`);
  return define("json", readJson(literal.value) as Frozen<Value>, {}, options);
}

/**
 * Names the variables of a session. The result is frozen; give it to `client.session(id, variables)`.
 *
 * The compiler checks them; the bridge judges them when a session is opened, constraints and all.
 *
 * @example
 * const variables = defineVariables({
 *   temperature: float(0.7, { min: 0, max: 2 }),
 *   max_tokens: integer(256, { min: 1 }),
 *   model: string("gpt", { pattern: "^[a-z]" }, { description: "Which model answers" }),
 *   paused: boolean(false),
 *   phase: choice(["warm-up", "main"], "warm-up"),
 *   plan: json<{ steps: string[] }>({ steps: [] }),
 * });
 * const session = await client.session("run-42", variables);
 * await session.get("temperature"); // 0.7, a number
 * await session.set("paused", "no"); // does not compile
 */
export function defineVariables<const D extends Definitions>(definitions: D): Readonly<D> {
  return Object.freeze({ ...definitions });
}

function define<Type extends TypeName, Value, Constraints extends object>(
  type: Type,
  initialValue: Value,
  constraints: Constraints,
  { description, metadata }: DefinitionOptions,
): Defines<Type, Value, Constraints> {
  const pairs = new Map(toMetadata(metadata));
  if (description !== undefined) pairs.set("description", description);
  return Object.freeze({
    type,
    initialValue,
    constraints: Object.freeze({ ...constraints }),
    metadata: pairs,
  });
}

/** Refuses what is no type: a message has no place for its name. */
export function checkType(type: string): TypeName {
  if (isTypeName(type)) return type;
  const message = `unknown type ${quoteName(String(type))}; known are ${TYPE_NAMES.join(", ")}`;
  throw errorFor("UNKNOWN_TYPE", message, { field: "type" });
}

/** The request of a registration. Constraints that do not exist are sent as they are, and the bridge names them. */
export function toDefinition(
  name: string,
  type: string,
  initialValue: unknown,
  constraints: object,
  metadata: MetadataInput | undefined,
): Definition {
  return {
    name,
    type: checkType(type),
    initialValue: toLiteral(initialValue, name, type),
    constraints: toConstraints(name, type, constraints),
    metadata: toMetadata(metadata),
  };
}

/** The constraints of a registration, not checked yet. */
export function toConstraints(name: string, type: string, constraints: object): Constraint[] {
  return Object.entries(constraints)
    .filter(([, operand]) => operand !== undefined)
    .map(([key, operands]) => ({ key, values: toOperands(operands, name, key, type) }));
}
