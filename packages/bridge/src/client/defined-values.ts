/** The values of a session as its definitions promise them to the caller, and as they are sent. */
import { TypeMismatchError } from "../core/errors.js";
import type { KnownLiteral } from "../core/literal.js";
import { quoteName } from "../core/names.js";
import type { Variable } from "../core/variable.js";
import type { Definitions, VariableDefinition } from "./definitions.js";
import { fromStored, invalidValue, isSafe, toLiteral, type VariableValue } from "./values.js";

/** What of a variable makes its value. */
type Stored = Pick<Variable, "type" | "value">;

export class DefinedValues {
  readonly #sessionId: string;
  readonly #definitions: ReadonlyMap<string, VariableDefinition> | undefined;

  /** @param definitions undefined: any name is allowed, and values are what they are stored as */
  constructor(sessionId: string, definitions: Definitions | undefined) {
    this.#sessionId = sessionId;
    this.#definitions = definitions && new Map(Object.entries<VariableDefinition>(definitions));
  }

  /** The names that are defined; undefined without definitions. */
  get names(): readonly string[] | undefined {
    return this.#definitions && [...this.#definitions.keys()];
  }

  get(name: string): VariableDefinition | undefined {
    return this.#definitions?.get(name);
  }

  /** What is sent for a value. */
  literal(name: string, value: unknown): KnownLiteral {
    return toLiteral(value, name, this.get(name)?.type);
  }

  /**
   * What the caller gets. Throws TypeMismatchError for a variable of another type: it may have been deleted and made anew; and
   * InvalidInputError for an integer that no number holds.
   */
  read(name: string, { type, value }: Stored): VariableValue {
    const definition = this.get(name);
    if (definition === undefined) return fromStored(type, value);
    if (definition.type !== type) {
      throw new TypeMismatchError(
        "TYPE_MISMATCH",
        `variable ${quoteName(name)} is of type ${type} now, and was defined as ${definition.type}`,
        {
          sessionId: this.#sessionId,
          identifier: name,
          typeMismatch: { expected: definition.type, actual: type },
        },
      );
    }
    // What is defined with a bigint is read as one, however small it is.
    if (typeof value === "bigint" && typeof definition.initialValue === "bigint") return value;
    if (typeof value !== "bigint" || isSafe(value)) return fromStored(type, value);
    throw invalidValue(
      name,
      `its value ${value} is beyond 2^53 − 1 and no number holds it exactly: define it with a bigint, as integer(0n)`,
    );
  }

  /** The same of a value that it had once, perhaps before it was defined: then as it is stored. */
  readFormer(name: string, { type, value }: Stored): VariableValue {
    const definition = this.get(name);
    const isDeclared = definition?.type === type && typeof definition.initialValue === "bigint";
    return isDeclared ? value : fromStored(type, value);
  }
}
