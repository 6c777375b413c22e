/**
 * One session, as a program that shares variables uses it: names, types of values and limits are those of its
 * definitions, so that the compiler refuses what the bridge would.
 *
 * Reads are answered from a copy of the session that the bridge keeps current: each sees a later state than the one before,
 * and this program's own writes. With `cache: "off"` the bridge is asked each time, and with `cache: "ttl"` unless it was just
 * before. Without definitions any name is allowed, and values are numbers, bigints, strings, booleans or JSON.
 */
import type { OnMissing, Revision } from "../core/commands.js";
import { errorFor, SessionNotFoundError, VariableNotFoundError } from "../core/errors.js";
import { quoteName } from "../core/names.js";
import type { TypeName } from "../core/values/registry.js";
import { checkIdentifier } from "./arguments.js";
import type { Calls, HistoryOptions, SetOptions, WriteOptions } from "./calls.js";
import { closedHere } from "./closed.js";
import { currentValues } from "./current-values.js";
import { DefinedValues } from "./defined-values.js";
import type { Definitions, NameOf, NumericNameOf, ValueOf, ValuesOf } from "./definitions.js";
import { type ChangeView, type SessionEventView, viewEvent } from "./event-views.js";
import { Hits } from "./hits.js";
import { checkListener, type ListenOptions, listen } from "./listening.js";
import type { PinnableReads } from "./pinnable-reads.js";
import { toText } from "./points.js";
import type { Answers, CacheStats, FoundVariables, FreshOptions, Held, ReadOptions } from "./reads.js";
import { compareAndSet } from "./repeating.js";
import type { InitialValues, ListVariablesOptions, RegisterOptions, SessionStore } from "./session-store.js";
import type { CallOptions } from "./transport/transport.js";
import { toAmount, type VariableValue } from "./values.js";
import {
  type BatchResults,
  type Committed,
  type HistoryView,
  type Reading,
  type SessionView,
  type VariableView,
  viewCommitted,
  viewHistory,
  viewResults,
  type Written,
} from "./views.js";
import type { ToldVariable } from "./wanted-value.js";
import type { SessionWatch, WatchOptions } from "./watching.js";

/** What a commit did to one of the variables with these names: `name` tells which, and so of what type its values are. */
export type ChangeOf<D extends Definitions, N extends NameOf<D> = NameOf<D>> = {
  [Name in N]: ChangeView<Name, ValueOf<D, Name>>;
}[N];

/** All defined variables at one revision. */
export interface Snapshot<D extends Definitions> {
  readonly values: ValuesOf<D>;
  /** The revision of the session that the values are true at. */
  readonly revision: number;
  /** The same as a text that `read` and `watch` take as `after`: a watch tells what happened next. */
  readonly point: string;
}

/** What a session is made of; `Client.session` makes them. */
export interface SessionParts<D extends Definitions> {
  readonly id: string;
  readonly definitions: D | undefined;
  /** Whether a set of a variable that does not exist fails, or creates it with the type of the value. */
  readonly strict: boolean;
  readonly store: SessionStore;
  readonly calls: Calls;
  readonly reads: PinnableReads;
}

/**
 * The variables of one session.
 *
 * Besides the errors that a method names, each can throw SessionNotFoundError (deleted or expired),
 * UnavailableError (no bridge; nothing was done), DeadlineError (out of time; nothing was done, or it was a read),
 * ClosedError, InvalidInputError and LimitError; and a write OutcomeUnknownError: it was sent and never answered, so it
 * may have been done.
 *
 * @example
 * const session = await client.session("run-42", defineVariables({ temperature: float(0.7, { max: 2 }) }));
 * await session.set("temperature", 0.9); // { version: 2, revision: 3, value: 0.9 }
 * await session.get("temperature"); // 0.9
 * await session.set("temperature", 3); // throws ConstraintError: value 3 is above maximum 2
 */
export class Session<D extends Definitions = Definitions> {
  /** The id of the session. */
  readonly id: string;
  readonly #defined: DefinedValues;
  readonly #onMissing: OnMissing;
  readonly #store: SessionStore;
  readonly #calls: Calls;
  readonly #reads: PinnableReads;
  readonly #hits: Hits;
  #variables: ValuesOf<D> | undefined;
  #closed = false;

  constructor({ id, definitions, strict, store, calls, reads }: SessionParts<D>) {
    this.id = id;
    this.#defined = new DefinedValues(id, definitions);
    // Never the session itself: one that was deleted or has expired stays so until somebody creates it (ORD-14).
    this.#onMissing = strict ? "fail" : "inferVariable";
    this.#store = store;
    this.#calls = calls;
    this.#reads = reads;
    this.#hits = new Hits(reads, this.#defined);
  }

  /**
   * The defined variables as properties, each what it holds at the moment when it is read, as {@link Session.peek} gives it. What
   * is read without an await in between is of one revision. Throws TypeError in a session without definitions.
   *
   * @example
   * await session.ready();
   * const { variables } = session;
   * variables.temperature; // 0.7
   * await session.set("temperature", 0.9);
   * variables.temperature; // 0.9
   */
  get variables(): ValuesOf<D> {
    this.#variables ??= currentValues(this.#names("variables", "peek(name)"), (name) =>
      this.peek(name),
    ) as ValuesOf<D>;
    return this.#variables;
  }

  /**
   * Reads the value of a variable. Throws VariableNotFoundError, unless there is a default: then that is the answer
   * where the variable or the session does not exist, and only there.
   *
   * @example
   * await session.get("temperature"); // 0.7
   * await session.get("top_p", { default: undefined }); // undefined: nobody has set it
   */
  async get<N extends NameOf<D>, F>(
    name: N,
    options: FreshOptions & { readonly default: F },
  ): Promise<ValueOf<D, N> | F>;
  async get<N extends NameOf<D>>(name: N, options?: FreshOptions): Promise<ValueOf<D, N>>;
  async get<N extends NameOf<D>>(
    name: N,
    options: FreshOptions & { readonly default?: unknown } = {},
  ): Promise<unknown> {
    const { bypassCache, after, maxAgeMs } = options;
    if (bypassCache === undefined && after === undefined && maxAgeMs === undefined) {
      const value = this.#hits.find(name);
      if (value !== undefined) {
        const turn = this.#reads.turns.next();
        if (turn !== undefined) await turn;
        return value;
      }
    }
    this.#open();
    try {
      const { variable } = await this.#reads.get(name, options);
      return this.#defined.read(name, variable);
    } catch (error) {
      if ("default" in options && isAbsence(error)) return options.default;
      throw error;
    }
  }

  /** Reads a variable with its version and freshness. Throws VariableNotFoundError. */
  async read<N extends NameOf<D>>(name: N, options: FreshOptions = {}): Promise<Reading<ValueOf<D, N>>> {
    this.#open();
    const { variable, revision, source, ageMs, stale } = await this.#reads.get(name, options);
    const { type, version } = variable;
    const value = this.#defined.read(name, variable) as ValueOf<D, N>;
    const point = toText(revision);
    return Object.freeze({ value, type, version, revision: revision.number, point, source, ageMs, stale });
  }

  /**
   * The value of a variable, at once. Throws NotReadyError where the copy is not current, which {@link Session.ready} waits for,
   * where the value is over 64 KiB, and with `cache: "ttl"` or `"off"`; VariableNotFoundError and SessionNotFoundError where
   * there is none.
   *
   * @example
   * await session.ready();
   * session.peek("temperature"); // 0.7
   */
  peek<N extends NameOf<D>>(name: N): ValueOf<D, N> {
    const value = this.#hits.find(name) ?? this.#peeked(name);
    return value as ValueOf<D, N>;
  }

  /**
   * Waits until the copy of the session is current. Throws DeadlineError when the time is up. With `cache: "ttl"` or `"off"`
   * there is none, and nothing to wait for.
   */
  async ready(options: CallOptions = {}): Promise<void> {
    this.#open();
    await this.#reads.ready(options);
  }

  /**
   * Reads up to 1,000 variables at one revision. With `cache: "ttl"` those that are cached are taken from there and the others
   * read at one revision, so that all of them need not be of one; `snapshot` is. Throws VariableNotFoundError naming
   * those that do not exist; `client.sessions.getVariables` lists them instead.
   *
   * @example
   * const { temperature, max_tokens } = await session.getMany(["temperature", "max_tokens"]);
   */
  async getMany<N extends NameOf<D>>(
    names: readonly N[],
    options: ReadOptions = {},
  ): Promise<ValuesOf<D, N>> {
    this.#open();
    return this.#valuesOf(await this.#reads.getMany(names, options)) as ValuesOf<D, N>;
  }

  /**
   * Reads all defined variables at one revision, with `cache: "ttl"` from the bridge. Throws VariableNotFoundError if
   * one was deleted, and TypeError in a session without definitions, which does not know what all is.
   */
  async snapshot(options: ReadOptions = {}): Promise<Snapshot<D>> {
    const names = this.#names("snapshot()", "getMany(names) or list()");
    this.#open();
    return this.#view(await this.#reads.snapshot(names, options));
  }

  /**
   * Takes a snapshot and calls a function. While that runs, and in all that it waits for, reads of the defined variables through
   * this object are answered from the snapshot: a request sees one configuration from its beginning to its end, whatever is
   * written meanwhile, by itself too. Writes, `waitFor`, `update` and watches go on as ever, and so do reads that say how fresh
   * the answer has to be (`bypassCache`, `after`, `maxAgeMs`), and callbacks of `onChange`. Within another of this object it is that
   * one, with `bypassCache` too.
   *
   * Throws as `snapshot` does, and what the function throws; TypeError in browsers, which have no AsyncLocalStorage.
   *
   * @example
   * await session.withSnapshot(async () => {
   *   const prompt = await session.get("prompt");
   *   const answer = await ask(prompt); // meanwhile somebody sets prompt and temperature
   *   return check(answer, await session.get("temperature")); // the one that belongs to the prompt
   * });
   */
  async withSnapshot<R>(
    work: (snapshot: Snapshot<D>) => R | Promise<R>,
    options: ReadOptions = {},
  ): Promise<R> {
    const names = this.#names("withSnapshot()", "getMany(names)");
    this.#open();
    const answers = await this.#reads.toPin(names, options);
    const snapshot = this.#view(answers);
    const variables = new Map(answers.found.map(({ identifier, variable }) => [identifier, variable]));
    const values = new Map(Object.entries(snapshot.values as Readonly<Record<string, VariableValue>>));
    return this.#reads.pins.run({ variables, values, freshness: answers }, () => work(snapshot));
  }

  /**
   * Reads the values that a variable had, newest first, the current one included: as many as are kept, which is the newest
   * 50 and at most 1 MiB of them. Throws VariableNotFoundError.
   *
   * @example
   * const { entries } = await session.history("temperature", { limit: 2 });
   * entries.map(({ version, value, source }) => `${version}: ${value} (${source})`); // ["2: 0.9 (python)", "1: 0.7 (typescript)"]
   */
  async history(name: NameOf<D>, options: HistoryOptions = {}): Promise<HistoryView> {
    const reply = await this.#open().history(this.id, name, options);
    return viewHistory(reply, (entry) => this.#defined.readFormer(name, entry));
  }

  /**
   * Sets a variable. Throws ConstraintError, TypeMismatchError, VariableNotFoundError (in a session without
   * definitions the variable is created instead), and ConflictError if it is not at `expectedVersion`.
   */
  async set<N extends NameOf<D>>(
    name: N,
    value: ValueOf<D, N>,
    options: SetOptions = {},
  ): Promise<Written<ValueOf<D, N>>> {
    const literal = this.#defined.literal(name, value);
    const reply = await this.#open().set(this.id, name, literal, this.#onMissing, options);
    return this.#written(name, reply);
  }

  /**
   * Sets up to 1,000 variables in one commit. Atomic (default): all or none, and BatchError names every item at fault.
   * With `atomic: false` those that can be are set, and the answer tells what became of each. No values: no call.
   *
   * @example
   * await session.setMany({ temperature: 0.2, max_tokens: 512 }); // { revision: 4, versions: Map(2) {…} }
   */
  async setMany(
    values: Partial<ValuesOf<D>>,
    options?: WriteOptions & { readonly atomic?: true },
  ): Promise<Committed>;
  async setMany(
    values: Partial<ValuesOf<D>>,
    options: WriteOptions & { readonly atomic: false },
  ): Promise<BatchResults>;
  async setMany(
    values: Partial<ValuesOf<D>>,
    options: WriteOptions & { readonly atomic?: boolean } = {},
  ): Promise<Committed | BatchResults> {
    const { atomic = true } = options;
    const calls = this.#open();
    const items = Object.entries<unknown>(values).map(([name, value]) => ({
      identifier: checkIdentifier(name),
      value: this.#defined.literal(name, value),
    }));
    if (items.length === 0)
      return atomic
        ? Object.freeze({ revision: undefined, point: undefined, versions: new Map() })
        : new Map();
    const reply = await calls.setMany(this.id, items, atomic, this.#onMissing, options);
    const names = items.map(({ identifier }) => identifier);
    return atomic ? viewCommitted(names, reply) : viewResults(names, reply);
  }

  /**
   * Adds to a float or an integer, 1 by default; negative subtracts. Two increments never lose each other. Throws as
   * `set` does: the sum has to satisfy the constraints.
   */
  async increment<N extends NumericNameOf<D>>(
    name: N,
    by?: Extract<ValueOf<D, N>, number | bigint>,
    options: WriteOptions = {},
  ): Promise<Written<Extract<ValueOf<D, N>, number | bigint>>> {
    const literal = toAmount(by ?? 1, name, this.#defined.get(name)?.type);
    const reply = await this.#open().increment(this.id, name, literal, this.#onMissing, options);
    return this.#written(name, reply);
  }

  /**
   * Sets a variable to what a function makes of its value, without losing the write of another: the result is set if
   * the variable is still at the version that was read, else this begins anew. So the function may be called several
   * times, and should only compute. `increment` does sums in one call.
   *
   * Throws as `set` does; ConflictError if others were faster 100 times, or until the time was up. The timeout is that
   * of all of it.
   *
   * @example
   * await session.update("temperature", (temperature) => temperature * 0.9);
   */
  async update<N extends NameOf<D>>(
    name: N,
    compute: (value: ValueOf<D, N>) => ValueOf<D, N> | Promise<ValueOf<D, N>>,
    options: WriteOptions = {},
  ): Promise<Written<ValueOf<D, N>>> {
    const set = (value: ValueOf<D, N>, expectedVersion: number, within: CallOptions) =>
      this.set(name, value, { ...options, ...within, expectedVersion });
    // After a conflict the copy may not have come to what it was a conflict with. A cache is behind all the time.
    let bypassCache = this.#reads.replica === undefined || this.#reads.pins.current !== undefined;
    const read = (within: CallOptions) => {
      const reading = this.read(name, { ...within, bypassCache });
      bypassCache = true;
      return reading;
    };
    return compareAndSet({ read, compute, set }, this.#open().deadline(options));
  }

  /**
   * Waits for a value, so that programs which share variables may start in any order: for one that satisfies the
   * predicate, or without one for any. A variable or session that does not exist is waited for, and so is a bridge
   * that does not answer. The variable is watched meanwhile: every value that it takes is looked at, however short it
   * stands, and some may be looked at twice.
   *
   * Throws DeadlineError when the time is up; its `cause` is the last error, if it was one that is waited out.
   *
   * @example
   * await session.waitFor("phase", (phase) => phase === "ready", { timeoutMs: 60_000 });
   */
  async waitFor<N extends NameOf<D>>(
    name: N,
    predicate: (value: ValueOf<D, N>) => boolean | Promise<boolean> = () => true,
    options: CallOptions = {},
  ): Promise<ValueOf<D, N>> {
    // What is read has to be at least as new as what the watch begins with.
    const read = (within: CallOptions) => this.get(name, { ...within, bypassCache: true });
    const view = (told: ToldVariable) => this.#defined.read(name, told) as ValueOf<D, N>;
    return this.#open().waitFor(this.id, name, { read, view, isWanted: predicate }, options);
  }

  /**
   * Watches the session: every commit from now on, each once, whole and in order, for `for await`. With names only the changes
   * of those variables (at most 1,000), else of all that are defined; without definitions, of all there are. That the session is created, is
   * deleted or expires is always told, and a watch does not end with it. While it is watched a session does not expire.
   *
   * Whatever is set through this client after the call is told. It goes on by itself when the connection breaks or the bridge
   * starts again; see {@link SessionWatch}. Reading throws WatchGapError when commits were missed that can no longer be told,
   * and TypeMismatchError as `get` does.
   *
   * @example
   * for await (const { changes, source } of session.watch(["temperature"], { signal })) {
   *   for (const { value, previous } of changes) console.log(`${source}: ${previous} → ${value}`); // python: 0.7 → 0.9
   * }
   */
  watch<N extends NameOf<D> = NameOf<D>>(
    names?: readonly N[],
    options: WatchOptions = {},
  ): SessionWatch<SessionEventView<ChangeOf<D, N>>> {
    const filter = { names: names ?? this.#defined.names ?? [] };
    return this.#open().watch(this.id, filter, options, (event) =>
      viewEvent<ChangeOf<D, N> & ChangeView>(event, (name, { type, value }, isNow) => {
        if (type === undefined || value === undefined) return undefined;
        // A variable may have been of another type before it was defined.
        const isOther = !isNow && (this.#defined.get(name)?.type ?? type) !== type;
        return isOther ? undefined : this.#defined.read(name, { type, value });
      }),
    );
  }

  /**
   * Has a function called with every commit from now on, as {@link Session.watch} would tell them: one after the other, each
   * after the commit is whole, until the answered function is called. What it throws, or rejects with, goes to `onError`.
   *
   * @example
   * const stop = session.onChange(["temperature"], ({ changes, source }) => console.log(source, changes[0]?.value));
   */
  onChange<N extends NameOf<D> = NameOf<D>>(
    names: readonly N[] | undefined,
    listener: (event: SessionEventView<ChangeOf<D, N>>) => unknown,
    options: ListenOptions = {},
  ): () => void {
    checkListener(listener);
    const { signal } = options;
    const begin = () => {
      const watch = this.watch(names, signal === undefined ? {} : { signal });
      return listen(watch, listener, options, this.#calls.operator, () => this.#reads.catchUp());
    };
    // It is called long after what begins it has ended.
    return this.#reads.pins.leave(begin);
  }

  /** Lists the session's variables, defined here or not, ordered by name. See `SessionStore.listVariables`. */
  async list(filter: ListVariablesOptions = {}): Promise<readonly VariableView[]> {
    this.#open();
    return this.#store.listVariables(this.id, filter);
  }

  /** Registers a further variable, outside the definitions. Throws AlreadyExistsError if the name is taken. */
  async register<T extends TypeName>(
    name: string,
    type: T,
    initialValue: InitialValues[T],
    options: RegisterOptions<T> = {},
  ): Promise<VariableView> {
    this.#open();
    return this.#store.registerVariable(this.id, name, type, initialValue, options);
  }

  /**
   * Makes sure that a further variable stands as given, so that a program can start again. See
   * `SessionStore.ensureVariable`.
   */
  async ensure<T extends TypeName>(
    name: string,
    type: T,
    initialValue: InitialValues[T],
    options: RegisterOptions<T> = {},
  ): Promise<VariableView> {
    this.#open();
    return this.#store.ensureVariable(this.id, name, type, initialValue, options);
  }

  /** Deletes a variable and answers the session's revision. Throws VariableNotFoundError. */
  async delete(name: NameOf<D>, options: CallOptions = {}): Promise<number> {
    this.#open();
    return this.#store.deleteVariable(this.id, name, options);
  }

  /** Keeps the session alive as any use does, and answers its revision. */
  async heartbeat(options: CallOptions = {}): Promise<number> {
    this.#open();
    return this.#store.heartbeat(this.id, options);
  }

  /** Reads what the session is, apart from its variables. */
  async info(options: CallOptions = {}): Promise<SessionView> {
    this.#open();
    return this.#store.getSession(this.id, options);
  }

  /**
   * How often reads of this session were answered here, and what from: see {@link CacheStats}.
   *
   * @example
   * const { hits, misses, fetches } = session.getCacheStats();
   */
  getCacheStats(): CacheStats {
    this.#open();
    const stats = this.#reads.stats();
    return Object.freeze({ ...stats, hits: stats.hits + this.#hits.count });
  }

  /**
   * Forgets what is cached of a variable, by name or id; without a name, of all. With `cache: "live"` there is nothing to forget,
   * as the bridge says what changes; `bypassCache` asks it.
   */
  invalidateCache(name?: NameOf<D>): void {
    this.#open();
    this.#reads.invalidate(name);
  }

  /**
   * Sets for how long answers are used again, in milliseconds, those that are cached already too. 0: not at all. With
   * `cache: "live"` it changes nothing, as nothing is ever that old. Throws RangeError for a negative time, and TypeError with
   * `cache: "off"`.
   */
  setCacheTtl(ttlMs: number): void {
    this.#open();
    this.#reads.setTtl(ttlMs);
  }

  /** Lets go of the session. It lives on at the bridge, the client stays open, and watches go on until they are ended. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#hits.close();
    this.#reads.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #open(): Calls {
    if (!this.#closed) return this.#calls;
    throw closedHere(this.id);
  }

  #peeked(name: string): VariableValue {
    this.#open();
    return this.#defined.read(name, this.#reads.peek(name));
  }

  #view(answers: Answers): Snapshot<D> {
    const { revision } = answers;
    return Object.freeze({
      values: this.#valuesOf(answers) as ValuesOf<D>,
      revision: revision.number,
      point: toText(revision),
    });
  }

  #names(what: string, instead: string): readonly string[] {
    const { names } = this.#defined;
    if (names !== undefined) return names;
    throw new TypeError(`${what} needs definitions: use ${instead}`);
  }

  #valuesOf({ found, missing }: FoundVariables): Readonly<Record<string, VariableValue>> {
    const [first] = missing;
    if (first !== undefined) {
      const list = missing.map(quoteName).join(", ");
      throw errorFor("VARIABLE_NOT_FOUND", `Variables not found: ${list}`, {
        sessionId: this.id,
        identifier: first,
      });
    }
    // Not assignments: fromEntries defines its keys, so none of them can reach the prototype.
    const values = Object.fromEntries(
      found.map(({ identifier, variable }) => [identifier, this.#defined.read(identifier, variable)]),
    );
    return Object.freeze(values);
  }

  #written<V>(name: string, { item, revision }: { item: Held; revision: Revision }): Written<V> {
    return Object.freeze({
      version: item.version,
      revision: revision.number,
      point: toText(revision),
      value: this.#defined.read(name, item) as V,
    });
  }
}

function isAbsence(error: unknown): boolean {
  return error instanceof VariableNotFoundError || error instanceof SessionNotFoundError;
}
