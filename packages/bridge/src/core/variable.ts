/** A variable at one revision. Immutable: a commit makes a new one, so whoever holds one holds a snapshot. */
import type { GivenConstraint, Limits } from "./constraints.js";
import type { Literal, Stored } from "./literal.js";
import type { Metadata, MetadataPairs } from "./metadata.js";
import type { TypeName } from "./values/registry.js";

export interface Variable {
  /** `var_<name>_<revision that created it>`. */
  readonly id: string;
  readonly name: string;
  readonly type: TypeName;
  readonly value: Stored;
  /** 1 at the registration, one more for each accepted set; a re-created name continues (VAL-10). */
  readonly version: number;
  readonly limits: Limits<Stored>;
  /** The metadata of the registration. */
  readonly registered: Metadata;
  /** The metadata of the last commit that set it. */
  readonly latest: Metadata;
  /** Who wrote the value last. */
  readonly source: string;
  /** By the wall clock, in milliseconds since 1970. */
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
  /** True while the type was only inferred from the first value (VAL-4). */
  readonly provisional: boolean;
}

/** What a variable is to be. */
export interface Definition {
  readonly name: string;
  /** As the caller wrote it: it may name no type. */
  readonly type: string;
  readonly initialValue: Literal;
  readonly constraints: readonly GivenConstraint[];
  readonly metadata: MetadataPairs;
}
