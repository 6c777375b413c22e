/** What every client of a bridge exports, wherever it runs. How it connects is not the same everywhere. */
export type { OnMissing } from "../core/commands.js";
export {
  AlreadyExistsError,
  AuthError,
  BatchError,
  BridgeError,
  type BridgeErrorOptions,
  ClosedError,
  ConflictError,
  ConstraintError,
  DeadlineError,
  DefinitionConflictError,
  type ErrorReason,
  InternalError,
  InvalidInputError,
  LimitError,
  NotReadyError,
  OutcomeUnknownError,
  SessionNotFoundError,
  TypeMismatchError,
  UnavailableError,
  VariableNotFoundError,
  VersionMismatchError,
  WatchGapError,
} from "../core/errors.js";
export type { TypeName } from "../core/values/registry.js";
export type { MetadataInput, Updates } from "./arguments.js";
export type { HistoryOptions, SetOptions, WatchFilterOptions, WriteOptions } from "./calls.js";
export type { Client, SessionOptions } from "./client.js";
export type { ConnectOptions } from "./connect.js";
export {
  type BooleanConstraints,
  type BooleanDefinition,
  boolean,
  type ChoiceConstraints,
  type ChoiceDefinition,
  choice,
  type DefinitionOptions,
  type Definitions,
  defineVariables,
  type FloatConstraints,
  type FloatDefinition,
  type Frozen,
  float,
  type IntegerConstraints,
  type IntegerDefinition,
  integer,
  type JsonConstraints,
  type JsonDefinition,
  json,
  type NameOf,
  type NumericNameOf,
  type StringConstraints,
  type StringDefinition,
  string,
  type ValueOf,
  type ValuesOf,
  type VariableDefinition,
} from "./definitions.js";
export type { ChangeView, SessionEventView } from "./event-views.js";
export type { JsonValue } from "./json.js";
export type { ListenOptions } from "./listening.js";
export type { CacheMode, CacheStats, FreshOptions, ReadOptions } from "./reads.js";
export type { ChangeOf, Session, Snapshot } from "./session.js";
export {
  type ConstraintsOf,
  type CreateSessionOptions,
  type InitialValues,
  type ListSessionsOptions,
  type ListVariablesOptions,
  type MissingOptions,
  type RegisterOptions,
  SessionStore,
} from "./session-store.js";
export type { CallOptions, Transport } from "./transport/transport.js";
export type { VariableValue } from "./values.js";
export type {
  AwaitedVariable,
  BatchResults,
  Committed,
  ConstraintsView,
  HistoryEntryView,
  HistoryView,
  Pong,
  Reading,
  SessionView,
  VariablesView,
  VariableView,
  Written,
} from "./views.js";
export type { SessionWatch, WatchOptions } from "./watching.js";
