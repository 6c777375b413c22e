/**
 * Reading calls that are under way, so that those who miss a variable at the same time share one.
 *
 * Each who waits has a deadline and a signal of its own, and who waits no longer leaves the call to the others; it goes on to
 * its end in any case, because its answer is kept. A call that fails fails for the one who began it. Those who joined
 * it ask by themselves then, as they may have more time, and other names that are refused are no fault of theirs.
 */
import { errorFor } from "../core/errors.js";
import type { Deadline } from "./deadline.js";
import type { CachedVariable, Fetch } from "./ttl-cache.js";

/** Variables as a call has found them, by the identifiers asked for. What does not exist is left out. */
export type Fetched = ReadonlyMap<string, CachedVariable>;

/** A call that has begun. */
export interface ReadingCall {
  readonly fetch: Fetch;
  readonly answer: Promise<Fetched>;
}

interface UnderWay extends ReadingCall {
  /** The answer; undefined: it has failed. */
  readonly landed: Promise<Fetched | undefined>;
}

export class SharedCalls {
  readonly #begin: (identifiers: readonly string[], timeoutMs: number) => ReadingCall;
  readonly #underWay = new Map<string, UnderWay>();

  /** @param begin begins a call for variables */
  constructor(begin: (identifiers: readonly string[], timeoutMs: number) => ReadingCall) {
    this.#begin = begin;
  }

  /**
   * Finds variables, by calls that are under way and one more if need be.
   *
   * @param mayJoin tells whether the answer of a call that has begun already will do
   */
  async find(
    identifiers: readonly string[],
    deadline: Deadline,
    mayJoin: (identifier: string, fetch: Fetch) => boolean,
  ): Promise<Fetched> {
    const joined = new Map<string, UnderWay>();
    for (const identifier of identifiers) {
      const call = this.#underWay.get(identifier);
      if (call !== undefined && mayJoin(identifier, call.fetch)) joined.set(identifier, call);
    }
    // Begun before anything is waited for.
    const own = this.#call(
      identifiers.filter((identifier) => !joined.has(identifier)),
      deadline,
    );
    const found = new Map<string, CachedVariable>();
    const failed: string[] = [];
    for (const [identifier, call] of joined) {
      if (!(await deadline.comes(call.landed))) throw late(deadline);
      const fetched = await call.landed;
      const variable = fetched?.get(identifier);
      if (fetched === undefined) failed.push(identifier);
      else if (variable !== undefined) found.set(identifier, variable);
    }
    for (const call of [own, this.#call(failed, deadline)])
      for (const [identifier, variable] of await answerOf(call, deadline)) found.set(identifier, variable);
    return found;
  }

  #call(identifiers: readonly string[], deadline: Deadline): ReadingCall | undefined {
    if (identifiers.length === 0) return undefined;
    const { timeoutMs = deadline.timeoutMs } = deadline.options();
    const { fetch, answer } = this.#begin(identifiers, timeoutMs);
    const call: UnderWay = {
      fetch,
      answer,
      landed: answer.catch(() => undefined).finally(() => this.#remove(identifiers, call)),
    };
    for (const identifier of identifiers) this.#underWay.set(identifier, call);
    return call;
  }

  #remove(identifiers: readonly string[], call: UnderWay): void {
    for (const identifier of identifiers)
      if (this.#underWay.get(identifier) === call) this.#underWay.delete(identifier);
  }
}

/** The answer to a call of one's own. Its time is that of the deadline, so when that is up it is about to say why. */
async function answerOf(call: ReadingCall | undefined, deadline: Deadline): Promise<Fetched> {
  if (call === undefined) return new Map();
  await deadline.comes(call.answer);
  return call.answer;
}

function late({ timeoutMs }: Deadline): Error {
  return errorFor("DEADLINE_EXCEEDED", `the read did not end within ${timeoutMs} ms`);
}
