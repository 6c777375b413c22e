/** How the model judges a write of variables: each rule of the second chapter in a few lines, on a draft of the session. */
import type {
  EnsureVariables,
  IncrementVariable,
  RegisterVariable,
  SetItem,
  SetVariables,
  VariableWrite,
} from "../../packages/bridge/src/core/commands.js";
import { INT64_MAX, INT64_MIN, type Literal, type Stored } from "../../packages/bridge/src/core/literal.js";
import type { Definition } from "../../packages/bridge/src/core/variable.js";
import {
  breach,
  claim,
  goodConstraints,
  goodMetadata,
  inferredType,
  isExactAsFloat,
  isGoodVariableName,
  isRefused,
  isTypeWord,
  keptIn,
  type Limit,
  type Pair,
  type Refused,
  refused,
  say,
  sizeFault,
  type TypeWord,
  widens,
} from "./rules.js";
import {
  at,
  copyOf,
  eitherOf,
  itemSet,
  lookUp,
  type ModelEntry,
  type ModelItemSet,
  type ModelReply,
  type ModelSession,
  type ModelVariable,
} from "./state.js";

/** What all items of one command are judged with. */
export interface Act {
  readonly source: string;
  readonly metadata: Pair[];
  readonly inferVariable: boolean;
  /** The time by the wall clock. */
  readonly wall: number;
  readonly limits: { readonly maxValueBytes: number; readonly maxVariables: number };
  /** Tells what happened, for the coverage of the test. */
  readonly note: (what: string) => void;
}

/** What a command comes to. The revision in the reply is that of the draft. */
export interface Verdict {
  readonly reply: ModelReply | Refused;
  readonly changed: boolean;
}

/** One more than a history shows, to know that there were more (VAL-20). */
export const REMEMBERED_VALUES = 51;

export class Judge {
  readonly #draft: ModelSession;
  readonly #act: Act;

  constructor(draft: ModelSession, act: Act) {
    this.#draft = draft;
    this.#act = act;
  }

  /** Carries the command out on the this.#draft. `changed` is false if nothing had to be done, or was. */
  judge(command: VariableWrite): Verdict {
    const revision = at(this.#draft);
    const one = (reply: ModelReply | Refused): Verdict => ({ reply, changed: !isRefused(reply) });
    switch (command.kind) {
      case "setVariable": {
        const item = this.#set(command.item);
        return one(isRefused(item) ? item : { kind: "setVariable", item, revision });
      }
      case "incrementVariable": {
        const item = this.#increment(command);
        return one(isRefused(item) ? item : { kind: "incrementVariable", item, revision });
      }
      case "deleteVariable": {
        const variable = lookUp(this.#draft, command.identifier);
        if (isRefused(variable)) return one(variable);
        this.#draft.variables.delete(variable.name);
        this.#draft.tombstones.set(variable.name, variable.version);
        return one({ kind: "deleteVariable", revision });
      }
      case "registerVariable":
        return one(this.#register(command));
      case "setVariables":
        return this.#setMany(command);
      case "ensureVariables":
        return this.#ensure(command);
    }
  }

  #set(item: SetItem): ModelItemSet | Refused {
    const { identifier, value, expectedVersion } = item;
    const found = lookUp(this.#draft, identifier);
    if (isRefused(found)) {
      const mayCreate = this.#act.inferVariable
        ? expectedVersion === undefined || expectedVersion === 0
        : expectedVersion === 0;
      if (!mayCreate || !isGoodVariableName(identifier)) return found;
      const type = inferredType(value);
      const stored =
        type === undefined
          ? refused("INVALID_VALUE", { identifier })
          : this.#storable(type, [], value, identifier);
      const full = this.#noRoomFor(identifier);
      if (full !== undefined) return isRefused(stored) ? eitherOf(stored, full) : full;
      if (isRefused(stored) || type === undefined) return stored as Refused;
      if (expectedVersion === 0) this.#act.note("expected_version 0 created a variable");
      return this.#create(identifier, type, stored);
    }
    if (expectedVersion !== undefined && expectedVersion !== found.version) {
      const versionConflict = { expected: expectedVersion, current: found.version };
      return refused("VERSION_CONFLICT", { identifier, versionConflict });
    }
    const type = found.provisional && found.type === "integer" && widens(value) ? "float" : found.type;
    const stored = this.#storable(type, found.limits, value, identifier);
    if (isRefused(stored)) return stored;
    return this.#put(found, type, stored);
  }

  #increment(command: IncrementVariable): ModelItemSet | Refused {
    const { identifier, by } = command;
    const found = lookUp(this.#draft, identifier);
    if (isRefused(found)) {
      if (!this.#act.inferVariable || !isGoodVariableName(identifier)) return found;
      const type = inferredType(by);
      const full = this.#noRoomFor(identifier);
      if (type !== "float" && type !== "integer") {
        const mismatch = refused(by.kind === "unknown" ? "INVALID_VALUE" : "TYPE_MISMATCH", { identifier });
        return full === undefined ? mismatch : eitherOf(mismatch, full);
      }
      if (full !== undefined) return full;
      const sum = this.#sum(type, type === "float" ? 0 : 0n, by, identifier);
      return isRefused(sum) ? sum : this.#create(identifier, type, sum);
    }
    if (by.kind === "unknown") return refused("INVALID_VALUE", { identifier });
    if (found.type !== "float" && found.type !== "integer") {
      return refused("TYPE_MISMATCH", {
        identifier,
        typeMismatch: { expected: found.type, actual: by.kind },
      });
    }
    const type = found.provisional && found.type === "integer" && widens(by) ? "float" : found.type;
    const sum = this.#sum(type, found.value as number | bigint, by, identifier);
    if (isRefused(sum)) return sum;
    const broken = breach(found.limits, sum);
    return broken === undefined ? this.#put(found, type, sum) : { ...broken, identifier };
  }

  #sum(
    type: "float" | "integer",
    from: number | bigint,
    by: Literal,
    identifier: string,
  ): number | bigint | Refused {
    const added = claim(type, by);
    if (isRefused(added)) return { ...added, identifier };
    if (type === "float") {
      if (typeof from === "bigint" && !isExactAsFloat(from))
        return refused("TYPE_MISMATCH", { identifier, says: [String(from)] });
      return Number(from) + (added as number);
    }
    const sum = (from as bigint) + (added as bigint);
    if (sum > INT64_MAX) {
      this.#act.note("an increment overflowed");
      return refused("CONSTRAINT_VIOLATED", {
        identifier,
        constraint: "max",
        message: `value ${sum} is above maximum ${INT64_MAX}`,
      });
    }
    if (sum < INT64_MIN)
      return refused("CONSTRAINT_VIOLATED", {
        identifier,
        constraint: "min",
        message: `value ${sum} is below minimum ${INT64_MIN}`,
      });
    return sum;
  }

  #storable(type: TypeWord, limits: Limit[], value: Literal, identifier: string): Stored | Refused {
    const stored = claim(type, value);
    if (isRefused(stored)) return { ...stored, identifier };
    const fault = sizeFault(stored, this.#act.limits.maxValueBytes) ?? breach(limits, stored);
    if (fault?.constraint === "choices") this.#act.note("a value was none of the choices");
    if (fault !== undefined) return { ...fault, identifier };
    if (type === "json") {
      const isJson = value.kind === "json";
      this.#act.note(isJson ? "JSON was kept as it was sent" : "a value of another arm became JSON");
    }
    return stored;
  }

  #noRoomFor(name: string): Refused | undefined {
    const limit = this.#act.limits.maxVariables;
    if (this.#draft.tombstones.has(name) || this.#draft.variables.size + this.#draft.tombstones.size < limit)
      return undefined;
    return refused("TOO_MANY_VARIABLES", { identifier: name, limit: { setting: "max-variables", limit } });
  }

  #create(name: string, type: TypeWord, value: Stored): ModelItemSet {
    const variable = this.#fresh(name, type, value, this.#act.source);
    variable.provisional = true;
    variable.latest = this.#act.metadata;
    this.#act.note("a variable was inferred");
    return itemSet(variable);
  }

  #fresh(name: string, type: TypeWord, value: Stored, source: string): ModelVariable {
    const before = this.#draft.tombstones.get(name);
    if (before !== undefined) this.#act.note("a deleted name was created again");
    this.#draft.tombstones.delete(name);
    const variable: ModelVariable = {
      id: `var_${name}_${this.#draft.revision}`,
      name,
      type,
      value,
      version: (before ?? 0) + 1,
      limits: [],
      registered: [],
      latest: [],
      source,
      createdAtMs: this.#act.wall,
      updatedAtMs: this.#act.wall,
      provisional: false,
      past: [],
    };
    variable.past = [this.#entry(variable)];
    this.#draft.variables.set(name, variable);
    return variable;
  }

  #put(variable: ModelVariable, type: TypeWord, value: Stored): ModelItemSet {
    if (type !== variable.type) this.#act.note("a provisional integer became a float");
    variable.type = type;
    variable.value = value;
    variable.version++;
    variable.latest = this.#act.metadata;
    variable.source = this.#act.source;
    variable.updatedAtMs = this.#act.wall;
    variable.past = [this.#entry(variable), ...variable.past].slice(0, REMEMBERED_VALUES);
    return itemSet(variable);
  }

  /** The entry of the value that a variable has just got. */
  #entry({ version, type, value }: ModelVariable): ModelEntry {
    const { source, metadata, wall } = this.#act;
    return { version, type, value, revision: this.#draft.revision, wallTimeMs: wall, source, metadata };
  }

  #setMany(command: SetVariables): Verdict {
    const taken = new Set<string>();
    // Ids lead where they lead before the batch: an id that a batch makes cannot be known to it.
    const before = copyOf(this.#draft);
    const results = command.items.map((item): ModelItemSet | Refused => {
      const { identifier } = item;
      const found = lookUp(before, identifier);
      const target = isRefused(found) ? identifier : found.name;
      const twice = taken.has(target);
      taken.add(target);
      const nowhere = isRefused(found) && !isGoodVariableName(identifier);
      if (!twice) return nowhere ? found : this.#set(item);
      // What leads nowhere is at fault for that too, and the rules do not say which is named.
      return { reasons: nowhere ? ["DUPLICATE_ITEM", ...found.reasons] : ["DUPLICATE_ITEM"], identifier };
    });
    const faults = faultsOf(results, ({ identifier }) => identifier, command.items);
    if (command.atomic && faults.length > 0)
      return { reply: refused("BATCH_REFUSED", { items: faults }), changed: false };
    const accepted = results.length - faults.length;
    if (faults.length > 0)
      this.#act.note(accepted > 0 ? "best effort, some accepted" : "best effort, none accepted");
    if (results.length === 0) this.#act.note("an empty batch");
    return { reply: { kind: "setVariables", results, revision: at(this.#draft) }, changed: accepted > 0 };
  }

  /** A definition judged by itself, whatever stands. */
  #define(
    definition: Definition,
  ): { type: TypeWord; value: Stored; limits: Limit[]; metadata: Pair[] } | Refused {
    const { name, type, initialValue } = definition;
    const fault = (what: Refused): Refused => ({ ...what, identifier: name });
    if (!isGoodVariableName(name)) return fault(refused("INVALID_NAME"));
    if (!isTypeWord(type)) return fault(refused("UNKNOWN_TYPE"));
    const limits = goodConstraints(type, definition.constraints);
    if (isRefused(limits)) return fault(limits);
    const value = this.#storable(type, limits, initialValue, name);
    if (isRefused(value)) return value;
    const metadata = goodMetadata(definition.metadata);
    return isRefused(metadata) ? fault(metadata) : { type, value, limits, metadata };
  }

  #register(command: RegisterVariable): ModelReply | Refused {
    const { name } = command.definition;
    const defined = this.#define(command.definition);
    if (isRefused(defined)) return defined;
    const standing = this.#draft.variables.get(name);
    if (standing !== undefined && !standing.provisional)
      return refused("VARIABLE_EXISTS", { identifier: name });
    const variable = this.#stand(command.definition);
    return isRefused(variable)
      ? variable
      : { kind: "registerVariable", variable: { ...variable }, revision: at(this.#draft) };
  }

  /** Makes a new variable of a definition, or lays it over the one that stands (VAL-4, VAL-5). */
  #stand(definition: Definition): ModelVariable | Refused {
    const { name } = definition;
    const defined = this.#define(definition);
    if (isRefused(defined)) return defined;
    const { type, value, limits, metadata } = defined;
    const standing = this.#draft.variables.get(name);
    if (standing === undefined) {
      const full = this.#noRoomFor(name);
      if (full !== undefined) return full;
      const variable = this.#fresh(name, type, value, this.#act.source);
      variable.limits = limits;
      variable.registered = metadata;
      return variable;
    }
    const conflict = refused("DEFINITION_CONFLICT", { identifier: name });
    if (!standing.provisional && standing.type !== type) return conflict;
    // Long and strange text may be shown shortened and escaped.
    const plain = typeof standing.value !== "string" || /^[a-z0-9]{0,40}$/.test(standing.value);
    const namesValue: Refused = plain ? { ...conflict, says: [say(standing.value)] } : conflict;
    const kept = claim(type, keptIn(standing.type, standing.value));
    if (isRefused(kept)) return namesValue;
    const fault = sizeFault(kept, this.#act.limits.maxValueBytes) ?? breach(limits, kept);
    if (fault !== undefined) return namesValue;
    if (standing.provisional) this.#act.note("a provisional variable was settled");
    else this.#act.note("constraints were replaced");
    standing.type = type;
    standing.value = kept;
    const [current, ...older] = standing.past;
    if (current !== undefined) standing.past = [{ ...current, type, value: kept }, ...older];
    standing.limits = limits;
    if (standing.provisional) standing.registered = metadata;
    standing.provisional = false;
    return standing;
  }

  #ensure(command: EnsureVariables): Verdict {
    const taken = new Set<string>();
    let changed = false;
    const results = command.definitions.map((definition): ModelVariable | Refused => {
      const { name } = definition;
      const twice = taken.has(name);
      taken.add(name);
      if (twice)
        return {
          reasons: isGoodVariableName(name) ? ["DUPLICATE_ITEM"] : ["INVALID_NAME", "DUPLICATE_ITEM"],
          identifier: name,
        };
      const defined = this.#define(definition);
      if (isRefused(defined)) return defined;
      const standing = this.#draft.variables.get(name);
      const same =
        standing !== undefined &&
        !standing.provisional &&
        standing.type === defined.type &&
        sameLimits(standing.limits, defined.limits);
      if (same) return standing;
      changed = true;
      return this.#stand(definition);
    });
    const faults = faultsOf(results, ({ name }) => name, command.definitions);
    if (faults.length > 0) return { reply: refused("BATCH_REFUSED", { items: faults }), changed: false };
    if (!changed) this.#act.note("an ensure changed nothing");
    const variables = (results as ModelVariable[]).map((variable) => ({ ...variable }));
    return { reply: { kind: "ensureVariables", variables, revision: at(this.#draft) }, changed };
  }
}

function faultsOf<I, R>(
  results: readonly (R | Refused)[],
  identifier: (item: I) => string,
  items: readonly I[],
): NonNullable<Refused["items"]> {
  return results.flatMap((result, index) =>
    isRefused(result) ? [{ index, identifier: identifier(items[index] as I), refused: result }] : [],
  );
}

function sameLimits(a: readonly Limit[], b: readonly Limit[]): boolean {
  return (
    a.length === b.length &&
    a.every(
      ({ key, operands }, i) =>
        key === b[i]?.key &&
        operands.length === b[i].operands.length &&
        operands.every(({ value }, place) => Object.is(value, b[i]?.operands[place]?.value)),
    )
  );
}
