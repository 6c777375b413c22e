/**
 * The calls that both faces of the client make: `SessionStore`, which names a session in each call, and `Session`, which
 * knows its session and its types. Here arguments become commands: names checked, writes given their request id and
 * source. Values arrive as literals, because only a face knows what types its caller declared.
 */
import type { Command, OnMissing, ReplyTo, RequestId, SetItem } from "../core/commands.js";
import { type BridgeError, errorFor } from "../core/errors.js";
import type { KnownLiteral } from "../core/literal.js";
import type { SessionEvent } from "../core/session/event.js";
import type { Definition } from "../core/variable.js";
import {
  checkIdentifier,
  checkNames,
  checkSessionId,
  checkWhole,
  type MetadataInput,
  toMetadata,
} from "./arguments.js";
import { Deadline } from "./deadline.js";
import type { Operator } from "./operator.js";
import type { OwnCalls } from "./own-calls.js";
import type { NextRequestId } from "./request-ids.js";
import { AbortWatch } from "./transport/abort.js";
import type { CallOptions, Transport } from "./transport/transport.js";
import { untilWanted, type Wait } from "./wanted-value.js";
import { SessionWatch, type WatchOptions } from "./watching.js";

/** Who writes, as the bridge records it (VAL-16). */
export const SOURCE = "typescript";

/** What a write of a value may be given. */
export interface WriteOptions extends CallOptions {
  /** Free text about this change; reads and lists show it until the next set. */
  readonly metadata?: MetadataInput;
}

/** What a set of one variable may be given. */
export interface SetOptions extends WriteOptions {
  /**
   * Compare and set: the version that the variable has to be at, else ConflictError. 0: it must not exist yet, and is
   * created with the type of the value.
   */
  readonly expectedVersion?: number;
}

/** What a read of a history may be given. */
export interface HistoryOptions extends CallOptions {
  /** At most so many entries, the newest; from 1. Default: all that are kept. */
  readonly limit?: number;
}

/** Which changes a watch tells. */
export interface WatchFilterOptions {
  /** Of variables with these names. */
  readonly names?: Iterable<string>;
  /** Of variables whose name matches: `*` is any run of characters, `?` any one, `\` takes the next as it is. */
  readonly glob?: string;
  /** Whether it is only looked on: the watch does not keep the session alive. Default: false. */
  readonly passive?: boolean;
}

export class Calls {
  readonly #transport: Transport;
  readonly #nextRequestId: NextRequestId;
  readonly #ownCalls: OwnCalls;
  /** Of watches. A transport has its own, for calls. */
  readonly #aborts = new AbortWatch();

  constructor(transport: Transport, nextRequestId: NextRequestId, ownCalls: OwnCalls) {
    this.#transport = transport;
    this.#nextRequestId = nextRequestId;
    this.#ownCalls = ownCalls;
  }

  get operator(): Operator {
    return this.#transport.operator;
  }

  /** Has a command carried out as it is. */
  async send<C extends Command>(command: C, options: CallOptions): Promise<ReplyTo<C["kind"]>> {
    try {
      const reply = await this.#transport.call(command, options);
      if ("sessionId" in command) {
        if ("revision" in reply) this.#ownCalls.answered(command.sessionId, reply.revision);
        else if ("session" in reply) this.#ownCalls.answered(command.sessionId, reply.session.revision);
      }
      return reply;
    } catch (error) {
      this.#ownCalls.failed(command, error);
      throw error;
    } finally {
      // Before its caller goes on, and whatever became of it: a write may have been carried out all the same.
      this.#ownCalls.ended(command);
    }
  }

  /** The deadline of what takes several calls. */
  deadline({ timeoutMs = this.#transport.timeoutMs, ...options }: CallOptions): Deadline {
    return new Deadline({ ...options, timeoutMs }, this.#transport.clock);
  }

  /** What a write says about itself. Each use is another write. */
  note(): { readonly requestId: RequestId; readonly source: string } {
    return { requestId: this.#nextRequestId(), source: SOURCE };
  }

  get(sessionId: string, identifier: string, options: CallOptions): Promise<ReplyTo<"getVariable">> {
    return this.send(
      { kind: "getVariable", sessionId: checkSessionId(sessionId), identifier: checkIdentifier(identifier) },
      options,
    );
  }

  history(
    sessionId: string,
    identifier: string,
    { limit, ...options }: HistoryOptions,
  ): Promise<ReplyTo<"getVariableHistory">> {
    const checked = checkWhole("limit", limit);
    return this.send(
      {
        kind: "getVariableHistory",
        sessionId: checkSessionId(sessionId),
        identifier: checkIdentifier(identifier),
        ...(checked === undefined ? {} : { limit: checked }),
      },
      options,
    );
  }

  getMany(
    sessionId: string,
    identifiers: Iterable<string>,
    options: CallOptions,
  ): Promise<ReplyTo<"getVariables">> {
    return this.send(
      {
        kind: "getVariables",
        sessionId: checkSessionId(sessionId),
        identifiers: checkNames(identifiers),
      },
      options,
    );
  }

  set(
    sessionId: string,
    identifier: string,
    value: KnownLiteral,
    onMissing: OnMissing,
    options: SetOptions,
  ): Promise<ReplyTo<"setVariable">> {
    const expectedVersion = checkWhole("expected_version", options.expectedVersion);
    const item: SetItem = {
      identifier: checkIdentifier(identifier),
      value,
      ...(expectedVersion === undefined ? {} : { expectedVersion }),
    };
    return this.send(
      {
        kind: "setVariable",
        sessionId: checkSessionId(sessionId),
        item,
        onMissing,
        metadata: toMetadata(options.metadata),
        ...this.note(),
      },
      options,
    );
  }

  async setMany(
    sessionId: string,
    items: readonly SetItem[],
    atomic: boolean,
    onMissing: OnMissing,
    options: WriteOptions,
  ): Promise<ReplyTo<"setVariables">> {
    const reply = await this.send(
      {
        kind: "setVariables",
        sessionId: checkSessionId(sessionId),
        items,
        atomic,
        onMissing,
        metadata: toMetadata(options.metadata),
        ...this.note(),
      },
      options,
    );
    if (reply.results.length === items.length) return reply;
    const counts = `${reply.results.length} outcomes for ${items.length} items`;
    throw errorFor("PROTOCOL", `the bridge at ${this.#transport.address} answered ${counts}`, { sessionId });
  }

  increment(
    sessionId: string,
    identifier: string,
    by: KnownLiteral,
    onMissing: OnMissing,
    options: WriteOptions,
  ): Promise<ReplyTo<"incrementVariable">> {
    return this.send(
      {
        kind: "incrementVariable",
        sessionId: checkSessionId(sessionId),
        identifier: checkIdentifier(identifier),
        by,
        onMissing,
        metadata: toMetadata(options.metadata),
        ...this.note(),
      },
      options,
    );
  }

  /**
   * @param view what the caller gets of an event
   * @param lost is told each time that the watch is lost and will be begun again
   */
  watch<E>(
    sessionId: string,
    { names = [], glob, passive = false }: WatchFilterOptions,
    options: WatchOptions,
    view: (event: SessionEvent) => E,
    lost: (error: BridgeError) => void = () => {},
  ): SessionWatch<E> {
    const watch = {
      sessionId: checkSessionId(sessionId),
      names: checkNames(names),
      ...(glob === undefined ? {} : { glob }),
      passive,
    };
    const onAbort = this.#aborts.of(options.signal);
    // No later read is older than what a watch has told.
    const heeded = (event: SessionEvent): E => {
      this.#ownCalls.told(event);
      return view(event);
    };
    return new SessionWatch({
      transport: this.#transport,
      watch,
      options,
      onAbort,
      view: heeded,
      lost,
      refused: (error) => this.#ownCalls.refused(sessionId, error),
    });
  }

  /** Waits for a value, of which the caller says how it is read and what it gets. Throws DeadlineError. */
  waitFor<V>(
    sessionId: string,
    identifier: string,
    wait: Pick<Wait<V>, "read" | "view" | "isWanted">,
    options: CallOptions,
  ): Promise<V> {
    const { signal } = options;
    const within = signal === undefined ? {} : { signal };
    return untilWanted(
      {
        ...wait,
        sessionId,
        identifier,
        watch: (name, lost) => this.watch(sessionId, { names: [name] }, within, (event) => event, lost),
      },
      this.deadline(options),
    );
  }

  ensure(
    sessionId: string,
    definitions: readonly Definition[],
    options: CallOptions,
  ): Promise<ReplyTo<"ensureVariables">> {
    return this.send(
      { kind: "ensureVariables", sessionId: checkSessionId(sessionId), definitions, source: SOURCE },
      options,
    );
  }
}
