/** Reads of one session. They look at one state and never wait, so a read of any size is one snapshot. */
import type {
  GetVariable,
  GetVariableHistory,
  GetVariables,
  ListVariables,
  VariableOutcome,
  VariableRead,
} from "../commands.js";
import { compileGlob } from "../glob.js";
import type { HistoryEntry } from "../history.js";
import type { BridgeLimits } from "../limits.js";
import { creationOf, parseIdentifier } from "../names.js";
import { invalidField, overLimit, Refusal, variableNotFound } from "../refusal.js";
import { compareUtf8, utf8Length } from "../text.js";
import type { Variable } from "../variable.js";
import type { SessionState } from "./state.js";
import { metadataBytes, valueBytes, variableBytes } from "./value-size.js";

/** The most that one page holds. */
export const MAX_PAGE_SIZE = 1_000;
/** A page ends before it grows past this, unless one item alone does; so it fits one message. */
const PAGE_BYTES = 1_048_576;

/** The field of a limit has 32 bits. */
const LARGEST_LIMIT = 2 ** 32 - 1;

/** Refuses a read for what is wrong with it whatever the session holds. */
export function checkRead(
  command: VariableRead | GetVariableHistory,
  { maxItems }: BridgeLimits,
): Refusal | undefined {
  switch (command.kind) {
    case "getVariables":
      return refuseMany(command.identifiers.length, maxItems);
    case "getVariableHistory": {
      const { limit = 1 } = command;
      if (Number.isInteger(limit) && limit >= 1 && limit <= LARGEST_LIMIT) return undefined;
      return invalidField("limit", "has to be a whole number from 1 to 2^32 − 1");
    }
    default:
      return undefined;
  }
}

/** Answers a read that has been checked from a state. */
export function read(
  state: SessionState,
  command: VariableRead,
  limits: BridgeLimits,
): VariableOutcome | Refusal {
  switch (command.kind) {
    case "getVariable":
      return getOne(state, command);
    case "getVariables":
      return getMany(state, command, limits);
    case "listVariables":
      return list(state, command);
  }
}

function find(state: SessionState, text: string): Variable | undefined | Refusal {
  const identifier = parseIdentifier(text);
  if (identifier instanceof Refusal) return identifier;
  const variable = state.variables.get(identifier.name);
  return identifier.id === undefined || variable?.id === identifier.id ? variable : undefined;
}

/** The variable that an identifier leads to, or why there is none. */
export function findVariable(state: SessionState, identifier: string): Variable | Refusal {
  return find(state, identifier) ?? variableNotFound(identifier);
}

function getOne(state: SessionState, { kind, identifier }: GetVariable): VariableOutcome | Refusal {
  const variable = findVariable(state, identifier);
  return variable instanceof Refusal ? variable : { kind, variable };
}

/** Answers a read of a variable's history, of which `kept` is what the store has kept, newest first. */
export function recount(
  { id }: Variable,
  kept: readonly HistoryEntry[],
  { kind, limit }: GetVariableHistory,
  { maxMessageBytes }: BridgeLimits,
): VariableOutcome | Refusal {
  const entries = kept.slice(0, limit);
  const bytes = entries.reduce((sum, entry) => sum + entryBytes(entry), 0);
  if (bytes > maxMessageBytes) return tooMuch(maxMessageBytes, "ask for fewer of them with a limit");
  const compacted = (kept.at(-1)?.revision ?? 0) > creationOf(id);
  return { kind, id, entries, compacted };
}

/** About the bytes that an entry of a history takes in an answer. */
function entryBytes({ value, source, metadata }: HistoryEntry): number {
  return 64 + valueBytes(value) + utf8Length(source) + metadataBytes(metadata);
}

function getMany(
  state: SessionState,
  { kind, identifiers }: GetVariables,
  { maxMessageBytes }: BridgeLimits,
): VariableOutcome | Refusal {
  const found: { identifier: string; variable: Variable }[] = [];
  const missing: string[] = [];
  let bytes = 0;
  for (const identifier of identifiers) {
    const variable = find(state, identifier);
    if (variable instanceof Refusal) return variable;
    if (variable === undefined) missing.push(identifier);
    else found.push({ identifier, variable });
    bytes += variable === undefined ? 0 : variableBytes(variable);
    // Found out before the answer is made, which could take a thousand times the limit.
    if (bytes > maxMessageBytes) return tooMuch(maxMessageBytes, "ask for fewer names");
  }
  return { kind, found, missing };
}

function tooMuch(maxMessageBytes: number, advice: string): Refusal {
  const message = `the values take more than ${maxMessageBytes} bytes, the most of one answer; ${advice}`;
  return overLimit("TOO_LARGE", message, "max-message-bytes", maxMessageBytes);
}

function list(state: SessionState, { kind, glob, type, source, pageSize, pageToken }: ListVariables) {
  const matches = glob === undefined ? undefined : compileGlob(glob);
  if (matches instanceof Refusal) return matches;
  const chosen = [...state.variables.values()].filter(
    (variable) =>
      (type === undefined || variable.type === type) &&
      (source === undefined || variable.source === source) &&
      (matches === undefined || matches(variable.name)),
  );
  const { items, next } = page(chosen, ({ name }) => name, variableBytes, pageSize, pageToken);
  return { kind, variables: items, nextPageToken: next };
}

/** One page of items in the order of their keys; `next` is the key of its last item, or empty if nothing follows. */
export function page<T>(
  items: Iterable<T>,
  keyOf: (item: T) => string,
  sizeOf: (item: T) => number,
  pageSize: number,
  pageToken: string,
): { items: T[]; next: string } {
  const size = pageSize === 0 ? MAX_PAGE_SIZE : Math.min(pageSize, MAX_PAGE_SIZE);
  const first = smallest(items, keyOf, size + 1, pageToken);
  const taken: T[] = [];
  let bytes = 0;
  for (const item of first) {
    bytes += sizeOf(item);
    if (taken.length === size || (taken.length > 0 && bytes > PAGE_BYTES)) break;
    taken.push(item);
  }
  return { items: taken, next: taken.length < first.length ? keyOf(taken.at(-1) as T) : "" };
}

/**
 * The `count` items with the smallest keys after a key, in order. Not a sort of all: there may be a million items, and
 * once enough are found nearly all others are passed over after one comparison.
 */
function smallest<T>(items: Iterable<T>, keyOf: (item: T) => string, count: number, after: string): T[] {
  const kept: T[] = [];
  let bound: string | undefined;
  const cut = (): void => {
    kept.sort((a, b) => compareUtf8(keyOf(a), keyOf(b)));
    kept.length = Math.min(kept.length, count);
    if (kept.length === count) bound = keyOf(kept[count - 1] as T);
  };
  for (const item of items) {
    const key = keyOf(item);
    if (after !== "" && compareUtf8(key, after) <= 0) continue;
    if (bound !== undefined && compareUtf8(key, bound) > 0) continue;
    kept.push(item);
    if (kept.length >= 8 * count) cut();
  }
  cut();
  return kept;
}

/** Refuses a request with more items than one command may have. */
export function refuseMany(count: number, maxItems: number): Refusal | undefined {
  if (count <= maxItems) return undefined;
  const message = `the request has ${count} items, more than ${maxItems}; split it`;
  return overLimit("TOO_MANY_ITEMS", message, "max-items", maxItems, count);
}
