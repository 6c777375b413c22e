/** Bridges with one thing wrong each, made by laying something between the test and a right one. */
import type { Clock } from "../../packages/bridge/src/core/clock.js";
import type { Command, Reply, RequestId, SetItem } from "../../packages/bridge/src/core/commands.js";
import type { Literal } from "../../packages/bridge/src/core/literal.js";
import { Refusal } from "../../packages/bridge/src/core/refusal.js";
import type { Principal } from "../../packages/bridge/src/engine/principal.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import { over } from "./over.js";
import type { MakeEngine } from "./subject.js";

export interface Fault {
  /** Ends a sentence that begins with "a bridge that". */
  readonly name: string;
  /** The same bridge with the fault. */
  readonly in: (makeEngine: MakeEngine) => MakeEngine;
}

type Answer = Reply | Refusal;
type Ask = (command: Command) => Promise<Answer>;

/** A fault in what is answered or carried out: sees each command, and may ask the right bridge anything. */
function fault(
  name: string,
  act: (state: Map<string, unknown>) => (command: Command, ask: Ask) => Promise<Answer>,
): Fault {
  return {
    name,
    in: (makeEngine) => async (parts) => {
      const right = await makeEngine(parts);
      const wrong = act(new Map());
      // One after the other, so that commands sent together keep their order and only the fault is wrong.
      let last: Promise<unknown> = Promise.resolve();
      return {
        ...right,
        dispatch(principal, command, deadline) {
          const late = deadline !== undefined && deadline <= parts.clock.now();
          const turn = (): Promise<Answer> =>
            late
              ? right.dispatch(principal, command, deadline)
              : wrong(command, (other) => right.dispatch(principal, other));
          const answer = last.then(turn);
          last = answer.catch(() => undefined);
          return answer;
        },
      };
    },
  };
}

/** A fault in what the time is taken to be. Deadlines are moved to that clock, so that they do not give it away. */
function otherClock(name: string, change: (clock: Clock) => Clock): Fault {
  return {
    name,
    in: (makeEngine) => async (parts) => {
      const clock = change(parts.clock);
      const wrong = await makeEngine({ ...parts, clock });
      return {
        ...wrong,
        dispatch: (principal, command, deadline) =>
          wrong.dispatch(
            principal,
            command,
            deadline === undefined ? undefined : clock.now() + deadline - parts.clock.now(),
          ),
      };
    },
  };
}

function withoutId<C extends { requestId?: RequestId }>({ requestId: _, ...rest }: C): Omit<C, "requestId"> {
  return rest;
}

/** The same with the JSON in one field as a parser understood it. */
function rewritten<K extends string, T extends { readonly [P in K]: Literal }>(holder: T, field: K): T {
  const { kind, value } = holder[field] as { kind: string; value?: unknown };
  if (kind !== "json") return holder;
  try {
    return { ...holder, [field]: { kind, value: JSON.stringify(JSON.parse(String(value))) } };
  } catch {
    return holder;
  }
}

function withoutVersion({ expectedVersion: _, ...rest }: SetItem): SetItem {
  return rest;
}

function requestKey(command: Command): string | undefined {
  if (!("requestId" in command) || command.requestId === undefined) return undefined;
  return `${command.sessionId} ${command.requestId.clientId} ${command.requestId.sequence}`;
}

export const FAULTS: readonly Fault[] = [
  fault("loses an update that it acknowledged", () => async (command, ask) => {
    if (command.kind !== "setVariable" || command.requestId !== undefined) return ask(command);
    const { sessionId, item } = command;
    if (item.value.kind === "unknown") return ask(command);
    const before = await ask({ kind: "getVariable", sessionId, identifier: item.identifier });
    if (before instanceof Refusal || before.kind !== "getVariable") return ask(command);
    const { id, type, version, limits } = before.variable;
    if (item.expectedVersion !== undefined || type !== item.value.kind || limits.constraints.length > 0)
      return ask(command);
    const { revision } = before;
    return {
      kind: "setVariable",
      item: { id, type, version: version + 1, value: item.value.value },
      revision: { ...revision, number: revision.number + 1, check: revision.check ^ 1n },
    };
  }),
  fault("applies the good half of a refused batch", () => async (command, ask) => {
    const answer = await ask(command);
    if (command.kind === "setVariables" && answer instanceof Refusal && answer.reason === "BATCH_REFUSED")
      await ask({ ...withoutId(command), atomic: false });
    return answer;
  }),
  fault("answers an increment with a revision that was used before", () => async (command, ask) => {
    const answer = await ask(command);
    if (answer instanceof Refusal || answer.kind !== "incrementVariable" || answer.revision.number < 2)
      return answer;
    return { ...answer, revision: { ...answer.revision, number: answer.revision.number - 1 } };
  }),
  fault("applies a retry a second time", (state) => async (command, ask) => {
    const key = requestKey(command);
    if (key === undefined || !state.has(key)) {
      if (key !== undefined) state.set(key, true);
      return ask(command);
    }
    return ask(withoutId(command as Extract<Command, { requestId?: RequestId }>) as Command);
  }),
  fault("answers a retry of a former life of the session", (state) => async (command, ask) => {
    const key = requestKey(command);
    const before = key === undefined ? undefined : (state.get(key) as Answer | undefined);
    if (before !== undefined) return before;
    const answer = await ask(command);
    if (key !== undefined && !(answer instanceof Refusal)) state.set(key, answer);
    return answer;
  }),
  fault("does not hold increments to constraints", () => async (command, ask) => {
    const answer = await ask(command);
    if (
      command.kind !== "incrementVariable" ||
      !(answer instanceof Refusal) ||
      answer.reason !== "CONSTRAINT_VIOLATED"
    )
      return answer;
    const { sessionId, identifier, by } = command;
    const read = await ask({ kind: "getVariable", sessionId, identifier });
    if (read instanceof Refusal || read.kind !== "getVariable") return answer;
    if (by.kind === "unknown") return answer;
    const { id, type, version } = read.variable;
    return {
      kind: "incrementVariable",
      item: { id, type, version: version + 1, value: by.value },
      revision: read.revision,
    };
  }),
  fault("answers a read with what was true one read ago", (state) => async (command, ask) => {
    const answer = await ask(command);
    if (command.kind !== "getVariable" || answer instanceof Refusal) return answer;
    const key = `${command.sessionId} ${command.identifier}`;
    const before = state.get(key) as Answer | undefined;
    state.set(key, answer);
    return before ?? answer;
  }),
  fault("takes a list of sessions for a use of them", () => async (command, ask) => {
    const answer = await ask(command);
    if (!(answer instanceof Refusal) && answer.kind === "listSessions")
      for (const { id } of answer.sessions) await ask({ kind: "heartbeat", sessionId: id });
    return answer;
  }),
  fault("takes no heartbeat for a use", () => async (command, ask) => {
    if (command.kind !== "heartbeat") return ask(command);
    const all = await ask({ kind: "listSessions", pageSize: 0, pageToken: "" });
    const found =
      all instanceof Refusal || all.kind !== "listSessions"
        ? undefined
        : all.sessions.find(({ id }) => id === command.sessionId);
    return found === undefined ? ask(command) : { kind: "heartbeat", revision: found.revision };
  }),
  fault("creates a session for a write that it refuses", () => async (command, ask) => {
    const answer = await ask(command);
    if (
      answer instanceof Refusal &&
      "onMissing" in command &&
      command.onMissing === "infer" &&
      answer.reason === "TYPE_MISMATCH"
    )
      await ask({ kind: "createSession", sessionId: command.sessionId, metadata: [] });
    return answer;
  }),
  fault("writes JSON anew instead of keeping it", () => async (command, ask) => {
    switch (command.kind) {
      case "setVariable":
        return ask({ ...command, item: rewritten(command.item, "value") });
      case "setVariables":
        return ask({ ...command, items: command.items.map((item) => rewritten(item, "value")) });
      case "registerVariable":
        return ask({ ...command, definition: rewritten(command.definition, "initialValue") });
      case "ensureVariables":
        return ask({
          ...command,
          definitions: command.definitions.map((definition) => rewritten(definition, "initialValue")),
        });
      default:
        return ask(command);
    }
  }),
  fault("knows one more choice than was registered", () => async (command, ask) => {
    if (command.kind !== "registerVariable" || command.definition.type !== "choice") return ask(command);
    const { definition } = command;
    const more: Literal = { kind: "string", value: "b" };
    const constraints = definition.constraints.map(({ key, values }) => ({ key, values: [...values, more] }));
    const answer = await ask({ ...command, definition: { ...definition, constraints } });
    return answer instanceof Refusal ? ask(command) : answer;
  }),
  fault("does not compare versions", () => async (command, ask) => {
    if (command.kind === "setVariable") return ask({ ...command, item: withoutVersion(command.item) });
    if (command.kind === "setVariables") return ask({ ...command, items: command.items.map(withoutVersion) });
    return ask(command);
  }),
  fault("finds a variable by the id of its predecessor", () => async (command, ask) => {
    const answer = await ask(command);
    const named =
      command.kind === "getVariable" ||
      command.kind === "deleteVariable" ||
      command.kind === "incrementVariable";
    if (!named || !(answer instanceof Refusal) || answer.reason !== "VARIABLE_NOT_FOUND") return answer;
    const name = /^var_(.+)_\d+$/su.exec(command.identifier)?.[1];
    if (name === undefined) return answer;
    const found = await ask({ ...command, identifier: name });
    return found instanceof Refusal ? answer : found;
  }),
  fault("names only the first item at fault", () => async (command, ask) => {
    const answer = await ask(command);
    if (!(answer instanceof Refusal) || answer.reason !== "BATCH_REFUSED") return answer;
    return new Refusal(answer.reason, answer.message, {
      ...answer.details,
      items: (answer.details.items ?? []).slice(0, 1),
    });
  }),
  fault("puts initial values over values that stand", () => async (command, ask) => {
    const answer = await ask(command);
    if (command.kind !== "ensureVariables" || answer instanceof Refusal) return answer;
    const { sessionId, definitions } = command;
    const items = definitions.map(({ name, initialValue }) => ({ identifier: name, value: initialValue }));
    await ask({ kind: "setVariables", sessionId, items, atomic: false, onMissing: "fail", metadata: [] });
    return answer;
  }),
  fault("leaves the oldest value out of a history", () => async (command, ask) => {
    const answer = await ask(command);
    if (answer instanceof Refusal || answer.kind !== "getVariableHistory" || answer.entries.length < 4)
      return answer;
    return { ...answer, entries: answer.entries.slice(0, -1) };
  }),
  fault("stops a list one variable early", () => async (command, ask) => {
    const answer = await ask(command);
    if (answer instanceof Refusal || answer.kind !== "listVariables" || answer.variables.length < 4)
      return answer;
    return { ...answer, variables: answer.variables.slice(0, -1) };
  }),
  {
    name: "carries commands out after their deadline",
    in: (makeEngine) => async (parts) => {
      const right = await makeEngine(parts);
      return {
        ...right,
        dispatch: (principal: Principal, command: Command) => right.dispatch(principal, command),
      };
    },
  },
  {
    name: "takes another principal's write for a retry",
    in: (makeEngine) => async (parts) => {
      const right = await makeEngine(parts);
      return {
        ...right,
        dispatch: (_principal: Principal, command: Command, deadline?: number) =>
          right.dispatch({ name: "anyone" }, command, deadline),
      };
    },
  },
  otherClock("ends sessions a little early", (clock) => paced(clock, 1.001)),
  otherClock("ends sessions a little late", (clock) => paced(clock, 0.999)),
  otherClock("counts idle time on the wall clock", (clock) => ({
    now: () => clock.wallTime(),
    wallTime: () => clock.wallTime(),
    setTimer: (ms, fire) => clock.setTimer(ms, fire),
  })),
  {
    name: "gives two lives of a session the same incarnation",
    in: (makeEngine) => (parts) => makeEngine({ ...parts, newIncarnation: () => "0".repeat(32) }),
  },
];

/** A clock that runs at another pace. */
function paced(clock: Clock, pace: number): Clock {
  return {
    now: () => clock.now() * pace,
    wallTime: () => clock.wallTime(),
    setTimer: (ms, fire) => clock.setTimer(ms / pace, fire),
  };
}

/** Stores with one thing wrong each. */
export const STORE_FAULTS: readonly { readonly name: string; readonly wrap: (store: Store) => Store }[] = [
  {
    name: "loses every tenth commit",
    wrap: (store) => keeping(store, (_record, count) => count % 10 !== 0),
  },
  {
    name: "brings deleted sessions back",
    wrap: (store) => keeping(store, ({ commit }) => commit.kind !== "deleteSession"),
  },
  {
    name: "brings expired sessions back",
    wrap: (store) => keeping(store, ({ commit }) => commit.kind !== "expireSession"),
  },
];

function keeping(store: Store, keeps: (record: CommitRecord, count: number) => boolean): Store {
  let count = 0;
  return over(store, {
    append: (records) => store.append(records.filter((record) => keeps(record, ++count))),
  });
}
