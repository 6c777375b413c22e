/**
 * Sessions and their variables by id: all that a bridge can do, without types. The host of an application manages its
 * sessions here; what works on one session is better served by `Session`, which knows names and types.
 */
import type { OnMissing } from "../core/commands.js";
import { BatchError, errorFor, SessionNotFoundError } from "../core/errors.js";
import type { TypeName } from "../core/values/registry.js";
import {
  checkFilter,
  checkIdentifier,
  checkSessionId,
  entriesOf,
  type MetadataInput,
  toMetadata,
  type Updates,
} from "./arguments.js";
import {
  Calls,
  type HistoryOptions,
  type SetOptions,
  SOURCE,
  type WatchFilterOptions,
  type WriteOptions,
} from "./calls.js";
import { checkType, type Definitions, toDefinition, type VariableDefinition } from "./definitions.js";
import { type SessionEventView, viewEvent } from "./event-views.js";
import { OwnCalls } from "./own-calls.js";
import { gather } from "./pages.js";
import { createRequestIds } from "./request-ids.js";
import type { CallOptions, Transport } from "./transport/transport.js";
import { fromStored, toAmount, toLiteral, type VariableValue } from "./values.js";
import {
  type AwaitedVariable,
  type BatchResults,
  type Committed,
  type HistoryView,
  type SessionView,
  type VariablesView,
  type VariableView,
  viewCommitted,
  viewHistory,
  viewResults,
  viewSession,
  viewVariable,
  viewVariables,
  viewWritten,
  type Written,
} from "./views.js";
import type { ToldVariable } from "./wanted-value.js";
import type { SessionWatch, WatchOptions } from "./watching.js";

/** What a session is created with. An existing session keeps what it has. */
export interface CreateSessionOptions extends CallOptions {
  /** The idle time after which it expires, in milliseconds. Default: the server's, an hour. 0: never. */
  readonly ttlMs?: number;
  readonly metadata?: MetadataInput;
}

/** Which sessions to list. */
export interface ListSessionsOptions extends CallOptions {
  /** Only ids that match: `*` any run of characters, `?` one, `\` takes the next as it is. */
  readonly glob?: string;
}

/** Which variables to list. */
export interface ListVariablesOptions extends CallOptions {
  /** Only names that match: `*` any run of characters, `?` one, `\` takes the next as it is. */
  readonly glob?: string;
  readonly type?: TypeName;
  /** Only those last written by this language. */
  readonly source?: string;
}

/** What a write does when something is missing. */
export interface MissingOptions {
  /**
   * `fail` (default): SessionNotFoundError or VariableNotFoundError, because here is where sessions are created and
   * variables registered. `inferVariable`: the variable is created, of the type of its value (a number is a float, a
   * bigint an integer) and without constraints. `infer`: the session is created too.
   */
  readonly onMissing?: OnMissing;
}

// By the types that can be defined: one that is missing there does not compile where any type is taken.
type DefinitionsByType = {
  readonly [T in VariableDefinition["type"]]: Extract<VariableDefinition, { readonly type: T }>;
};

/** The values that a type takes. */
export type InitialValues = {
  readonly [T in keyof DefinitionsByType]: DefinitionsByType[T]["initialValue"];
};

/** The constraints that a type takes. */
export type ConstraintsOf = { readonly [T in keyof DefinitionsByType]: DefinitionsByType[T]["constraints"] };

/** What a registration may be given. */
export interface RegisterOptions<T extends TypeName = TypeName> extends CallOptions {
  readonly constraints?: ConstraintsOf[T];
  /** Free text about the variable, shown by reads and lists. */
  readonly metadata?: MetadataInput;
}

/**
 * The operations on sessions and variables. A variable is identified by its name or its id. Each method does one call
 * and answers with what is true at the server; nothing is cached.
 *
 * Besides the errors that a method names, each can throw UnavailableError (no bridge; nothing was done), DeadlineError
 * (out of time; nothing was done, or it was a read), InvalidInputError and LimitError; and a write
 * OutcomeUnknownError: it was sent and never answered, so it may have been done.
 *
 * @example
 * const { sessions } = connect("127.0.0.1:50051");
 * await sessions.createSession("run-42", { ttlMs: 60_000 });
 * await sessions.registerVariable("run-42", "temperature", "float", 0.7, { constraints: { min: 0, max: 2 } });
 * await sessions.updateVariable("run-42", "temperature", 0.9); // { version: 2, revision: 3, value: 0.9 }
 */
export class SessionStore {
  readonly #calls: Calls;

  constructor(transport: Transport, calls: Calls = new Calls(transport, createRequestIds(), new OwnCalls())) {
    this.#calls = calls;
  }

  /** Creates a session, or answers the existing one as it stands; `created` tells which. */
  async createSession(
    sessionId: string,
    options: CreateSessionOptions = {},
  ): Promise<{ readonly session: SessionView; readonly created: boolean }> {
    const { ttlMs, metadata } = options;
    if (ttlMs !== undefined && !Number.isFinite(ttlMs)) {
      throw errorFor("INVALID_ARGUMENT", `ttl: has to be a number of milliseconds, not ${ttlMs}`, {
        field: "ttl",
      });
    }
    const { session, created } = await this.#calls.send(
      {
        kind: "createSession",
        sessionId: checkSessionId(sessionId),
        ...(ttlMs === undefined ? {} : { ttlMs }),
        metadata: toMetadata(metadata),
        ...this.#calls.note(),
      },
      options,
    );
    return Object.freeze({ session: viewSession(session), created });
  }

  /** Reads what a session is, which counts as a use of it. Throws SessionNotFoundError. */
  async getSession(sessionId: string, options: CallOptions = {}): Promise<SessionView> {
    const command = { kind: "getSession", sessionId: checkSessionId(sessionId) } as const;
    return viewSession((await this.#calls.send(command, options)).session);
  }

  /** Tells whether a session exists. Asking counts as a use of it. */
  async sessionExists(sessionId: string, options: CallOptions = {}): Promise<boolean> {
    try {
      await this.getSession(sessionId, options);
      return true;
    } catch (error) {
      if (error instanceof SessionNotFoundError) return false;
      throw error;
    }
  }

  /**
   * Lists sessions, ordered by id, and uses none. Large lists are read in pages, each true at its own time; the
   * timeout is that of each page.
   */
  async listSessions(options: ListSessionsOptions = {}): Promise<readonly SessionView[]> {
    const glob = checkFilter("glob", options.glob);
    const filter = glob === undefined ? {} : { glob };
    return gather(async (pageToken) => {
      const command = { kind: "listSessions", ...filter, pageSize: 0, pageToken } as const;
      const { sessions, nextPageToken } = await this.#calls.send(command, options);
      return { items: sessions.map(viewSession), nextPageToken };
    });
  }

  /**
   * Ends a session with all its variables and answers its last revision. Throws SessionNotFoundError; after a broken
   * connection also when it was this call that ended the session, because nothing remains to tell.
   */
  async deleteSession(sessionId: string, options: CallOptions = {}): Promise<number> {
    const command = { kind: "deleteSession", sessionId: checkSessionId(sessionId), source: SOURCE } as const;
    return (await this.#calls.send(command, options)).revision.number;
  }

  /** Keeps a session alive as any use does, and answers its revision. Throws SessionNotFoundError. */
  async heartbeat(sessionId: string, options: CallOptions = {}): Promise<number> {
    const command = { kind: "heartbeat", sessionId: checkSessionId(sessionId) } as const;
    return (await this.#calls.send(command, options)).revision.number;
  }

  /**
   * Registers a variable. Throws AlreadyExistsError if the name is taken (`ensureVariables` accepts that), and
   * ConstraintError or TypeMismatchError if the initial value does not fit.
   */
  async registerVariable<T extends TypeName>(
    sessionId: string,
    name: string,
    type: T,
    initialValue: InitialValues[T],
    options: RegisterOptions<T> & MissingOptions = {},
  ): Promise<VariableView> {
    const { constraints = {}, metadata, onMissing = "fail" } = options;
    const { variable } = await this.#calls.send(
      {
        kind: "registerVariable",
        sessionId: checkSessionId(sessionId),
        definition: toDefinition(checkIdentifier(name), type, initialValue, constraints, metadata),
        onMissing,
        ...this.#calls.note(),
      },
      options,
    );
    return viewVariable(variable);
  }

  /**
   * Makes sure that variables stand as defined, all or none: missing ones are created, existing ones keep their value
   * and take other constraints if the value satisfies them. Meant for a host that starts again and again. Throws
   * BatchError naming every definition that cannot stand.
   */
  async ensureVariables(
    sessionId: string,
    definitions: Definitions,
    options: CallOptions = {},
  ): Promise<readonly VariableView[]> {
    const wanted = Object.entries(definitions).map(([name, { type, initialValue, constraints, metadata }]) =>
      toDefinition(checkIdentifier(name), type, initialValue, constraints, metadata),
    );
    const { variables } = await this.#calls.ensure(sessionId, wanted, options);
    return Object.freeze(variables.map(viewVariable));
  }

  /**
   * Makes sure that a variable stands as given: a missing one is created, an existing one keeps its value and takes
   * other constraints if the value satisfies them. Throws DefinitionConflictError if it cannot stand so.
   */
  async ensureVariable<T extends TypeName>(
    sessionId: string,
    name: string,
    type: T,
    initialValue: InitialValues[T],
    options: RegisterOptions<T> = {},
  ): Promise<VariableView> {
    const { constraints = {}, metadata } = options;
    const wanted = toDefinition(checkIdentifier(name), type, initialValue, constraints, metadata);
    try {
      const { variables } = await this.#calls.ensure(sessionId, [wanted], options);
      if (variables[0] !== undefined) return viewVariable(variables[0]);
    } catch (error) {
      // On the wire this is a batch of one; here it is one variable.
      throw (error instanceof BatchError && error.errors.get(name)) || error;
    }
    throw errorFor("PROTOCOL", "the bridge answered no variable for a definition", { sessionId });
  }

  /**
   * Waits for a variable: until it exists, and satisfies the predicate if there is one. The session may be absent, too,
   * and the bridge out of reach. Every value that it takes meanwhile is looked at, however short it stands. Throws
   * DeadlineError when the time is up.
   *
   * @example
   * await sessions.waitForVariable("run-42", "phase", ({ value }) => value === "ready", { timeoutMs: 60_000 });
   */
  async waitForVariable(
    sessionId: string,
    identifier: string,
    predicate: (variable: AwaitedVariable) => boolean | Promise<boolean> = () => true,
    options: CallOptions = {},
  ): Promise<AwaitedVariable> {
    const read = async (within: CallOptions): Promise<AwaitedVariable> => {
      const { id, name, type, value, version } = await this.getVariable(sessionId, identifier, within);
      return Object.freeze({ id, name, type, value, version });
    };
    const view = ({ type, value, ...told }: ToldVariable): AwaitedVariable =>
      Object.freeze({ ...told, type, value: fromStored(type, value) });
    return this.#calls.waitFor(sessionId, identifier, { read, view, isWanted: predicate }, options);
  }

  /** Reads a variable. Throws VariableNotFoundError or SessionNotFoundError. */
  async getVariable(sessionId: string, identifier: string, options: CallOptions = {}): Promise<VariableView> {
    return viewVariable((await this.#calls.get(sessionId, identifier, options)).variable);
  }

  /** Reads up to 1,000 variables at one revision. What does not exist is listed. Throws SessionNotFoundError. */
  async getVariables(
    sessionId: string,
    identifiers: Iterable<string>,
    options: CallOptions = {},
  ): Promise<VariablesView> {
    return viewVariables(await this.#calls.getMany(sessionId, identifiers, options));
  }

  /**
   * Reads the values that a variable had, newest first, the current one included: as many as are kept, which is the newest
   * 50 and at most 1 MiB of them. Throws VariableNotFoundError or SessionNotFoundError.
   *
   * @example
   * const { entries, compacted } = await sessions.getVariableHistory("run-42", "temperature", { limit: 10 });
   * entries[0]; // { version: 2, type: "float", value: 0.9, revision: 3, setAt: …, source: "python", metadata: … }
   */
  async getVariableHistory(
    sessionId: string,
    identifier: string,
    options: HistoryOptions = {},
  ): Promise<HistoryView> {
    return viewHistory(await this.#calls.history(sessionId, identifier, options));
  }

  /**
   * Sets a variable. Throws VariableNotFoundError, TypeMismatchError, ConstraintError, and ConflictError if it is not
   * at `expectedVersion`.
   */
  async updateVariable(
    sessionId: string,
    identifier: string,
    value: VariableValue,
    options: SetOptions & MissingOptions = {},
  ): Promise<Written> {
    const literal = toLiteral(value, identifier);
    const { onMissing = "fail" } = options;
    const { item, revision } = await this.#calls.set(sessionId, identifier, literal, onMissing, options);
    return viewWritten(item, revision);
  }

  /**
   * Sets up to 1,000 variables in one commit. Atomic (default): all or none, and BatchError names every item at fault.
   * With `atomic: false` those that can be are set, and the answer tells what became of each. No updates: no call.
   *
   * @example
   * const results = await sessions.updateVariables("run-42", { temperature: 3, max_tokens: 10 }, { atomic: false });
   * results.get("temperature"); // a ConstraintError
   * results.get("max_tokens"); // { version: 2, revision: 7, value: 10 }
   */
  async updateVariables(
    sessionId: string,
    updates: Updates<VariableValue>,
    options?: WriteOptions & MissingOptions & { readonly atomic?: true },
  ): Promise<Committed>;
  async updateVariables(
    sessionId: string,
    updates: Updates<VariableValue>,
    options: WriteOptions & MissingOptions & { readonly atomic: false },
  ): Promise<BatchResults>;
  async updateVariables(
    sessionId: string,
    updates: Updates<VariableValue>,
    options: WriteOptions & MissingOptions & { readonly atomic?: boolean } = {},
  ): Promise<Committed | BatchResults> {
    const { atomic = true, onMissing = "fail" } = options;
    const items = entriesOf(updates).map(([identifier, value]) => ({
      identifier: checkIdentifier(identifier),
      value: toLiteral(value, identifier),
    }));
    if (items.length === 0)
      return atomic
        ? Object.freeze({ revision: undefined, point: undefined, versions: new Map() })
        : new Map();
    const reply = await this.#calls.setMany(sessionId, items, atomic, onMissing, options);
    const identifiers = items.map(({ identifier }) => identifier);
    return atomic ? viewCommitted(identifiers, reply) : viewResults(identifiers, reply);
  }

  /** Adds to a float or an integer; negative subtracts. Two increments never lose each other. Throws as a set does. */
  async incrementVariable(
    sessionId: string,
    identifier: string,
    by: number | bigint = 1,
    options: WriteOptions & MissingOptions = {},
  ): Promise<Written<number | bigint>> {
    const { onMissing = "fail" } = options;
    const literal = toAmount(by, identifier);
    const { item, revision } = await this.#calls.increment(
      sessionId,
      identifier,
      literal,
      onMissing,
      options,
    );
    return viewWritten(item, revision) as Written<number | bigint>;
  }

  /** Deletes a variable and answers the revision. A later one of the name continues at the next version. */
  async deleteVariable(sessionId: string, identifier: string, options: CallOptions = {}): Promise<number> {
    const { revision } = await this.#calls.send(
      {
        kind: "deleteVariable",
        sessionId: checkSessionId(sessionId),
        identifier: checkIdentifier(identifier),
        ...this.#calls.note(),
      },
      options,
    );
    return revision.number;
  }

  /**
   * Watches a session, as {@link Session.watch} does: by names, by a glob, or all of it. The session need not exist.
   *
   * @example
   * for await (const { kind, changes } of sessions.watch("run-42", { glob: "loss*" })) console.log(kind, changes);
   */
  watch(sessionId: string, options: WatchFilterOptions & WatchOptions = {}): SessionWatch<SessionEventView> {
    const glob = checkFilter("glob", options.glob);
    const { names, passive } = options;
    const filter = {
      ...(names === undefined ? {} : { names }),
      ...(glob === undefined ? {} : { glob }),
      ...(passive === undefined ? {} : { passive }),
    };
    return this.#calls.watch(sessionId, filter, options, (event) => viewEvent(event));
  }

  /**
   * Lists variables, ordered by name. Large lists are read in pages, each at its own revision; the timeout is that of
   * each page. Throws SessionNotFoundError.
   */
  async listVariables(
    sessionId: string,
    options: ListVariablesOptions = {},
  ): Promise<readonly VariableView[]> {
    const glob = checkFilter("glob", options.glob);
    const source = checkFilter("source", options.source);
    const filter = {
      sessionId: checkSessionId(sessionId),
      ...(glob === undefined ? {} : { glob }),
      ...(options.type === undefined ? {} : { type: checkType(options.type) }),
      ...(source === undefined ? {} : { source }),
    };
    return gather(async (pageToken) => {
      const command = { kind: "listVariables", ...filter, pageSize: 0, pageToken } as const;
      const { variables, nextPageToken } = await this.#calls.send(command, options);
      return { items: variables.map(viewVariable), nextPageToken };
    });
  }
}
