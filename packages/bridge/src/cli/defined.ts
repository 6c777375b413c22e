/** Variables as they are defined, in a file or in a session: what is to be known to make code of them. */
import { type Definitions, toConstraints, type VariableDefinition } from "../client/definitions.js";
import type { VariableView } from "../client/index.js";
import type { Constraint } from "../core/constraints.js";
import { checkName, quoteName } from "../core/names.js";
import { Refusal } from "../core/refusal.js";
import { isTypeName, TYPE_NAMES, type TypeName, valueType } from "../core/values/registry.js";

/** One variable, without its value. */
export interface DefinedVariable {
  readonly name: string;
  readonly type: TypeName;
  /** As a bridge keeps them: ordered by key, operands in the arm of the type. */
  readonly constraints: readonly Constraint[];
  readonly description: string | undefined;
}

/** The variables that `defineVariables` was given, in its order. Refuses what a bridge would. */
export function definedIn(definitions: Definitions): DefinedVariable[] {
  return Object.entries<VariableDefinition>(definitions).map(([name, { type, constraints, metadata }]) =>
    judge(name, type, constraints, metadata),
  );
}

/** The same of variables that stand in a session. */
export function definedBy(variables: readonly VariableView[]): DefinedVariable[] {
  return variables.map(({ name, type, constraints, metadata }) =>
    judge(name, type, Object.fromEntries(constraints), metadata),
  );
}

function judge(
  name: string,
  type: string,
  constraints: object,
  metadata: ReadonlyMap<string, string>,
): DefinedVariable {
  const badName = checkName(name);
  if (badName !== undefined) throw new Error(badName.message);
  if (!isTypeName(type))
    throw new Error(
      `${quoteName(name)}: unknown type ${quoteName(type)}; known are ${TYPE_NAMES.join(", ")}`,
    );
  const limits = valueType(type).limits(toConstraints(name, type, constraints));
  if (limits instanceof Refusal) throw new Error(`${quoteName(name)}: ${limits.message}`);
  return { name, type, constraints: limits.constraints, description: metadata.get("description") };
}
