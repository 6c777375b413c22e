/**
 * The state machine of a session: (state, command, context) → commit or refusal.
 *
 * Deciding changes nothing; `SessionState.apply` changes and decides nothing. So a decision can be recorded before it
 * takes effect, and the same records always give the same state. One command is at most one commit.
 */
import type { EnsureVariables, SetVariables, VariableOutcome, VariableWrite } from "../commands.js";
import { checkMetadata } from "../metadata.js";
import { checkSessionId, parseIdentifier, quoteName } from "../names.js";
import { type ItemRefusal, Refusal, sessionNotFound, variableNotFound } from "../refusal.js";
import type { Variable } from "../variable.js";
import { type Change, type Commit, outcomeOf } from "./commit.js";
import { ensure, register } from "./defining.js";
import { Draft, type WriteContext, type WriteNote } from "./draft.js";
import { checkRequestId, checkSource, forgotten, UNKNOWN_SOURCE } from "./form.js";
import { refuseMany } from "./reading.js";
import { increment, set } from "./setting.js";
import type { SessionState } from "./state.js";

/** What a write comes to, if it is not refused. */
export type Decision =
  /** Carry this out. Its answer is `outcome`, true at the commit's revision. */
  | {
      readonly kind: "commit";
      readonly commit: Commit;
      readonly outcome: VariableOutcome;
    }
  /** Nothing has to change. */
  | { readonly kind: "unchanged"; readonly outcome: VariableOutcome }
  /** The same request was carried out by this revision already: give that commit's answer again. */
  | { readonly kind: "repeated"; readonly revision: number };

/** Decides a write on the variables of a session; `state` is undefined if the session does not exist. */
export function decide(
  state: SessionState | undefined,
  command: VariableWrite,
  context: WriteContext,
): Decision | Refusal {
  const note = checkForm(command, context);
  if (note instanceof Refusal) return note;
  const { sessionId } = command;
  const earlier =
    note.requestId === undefined ? "new" : (state?.findRequest(note.writer, note.requestId) ?? "new");
  if (earlier === "forgotten") return forgotten();
  if (earlier !== "new") return { kind: "repeated", revision: earlier };
  if (state === undefined) {
    const refusal = mayCreateSession(command) ? context.refuseSession() : sessionNotFound(sessionId);
    if (refusal !== undefined) return refusal;
  }
  return carryOut(new Draft(state, sessionId, note, context), command);
}

/** Checks what is wrong or right whatever the session holds. */
function checkForm(command: VariableWrite, context: WriteContext): WriteNote | Refusal {
  const requestId = "requestId" in command ? command.requestId : undefined;
  const fault = checkSessionId(command.sessionId) ?? checkSource(command.source) ?? checkRequestId(requestId);
  if (fault !== undefined) return fault;
  const metadata = checkMetadata("metadata" in command ? command.metadata : undefined);
  if (metadata instanceof Refusal) return metadata;
  const items =
    command.kind === "setVariables"
      ? command.items
      : command.kind === "ensureVariables"
        ? command.definitions
        : [];
  const many = refuseMany(items.length, context.limits.maxItems);
  if (many !== undefined) return many;
  const { writer } = context;
  const source = command.source ?? UNKNOWN_SOURCE;
  return requestId === undefined ? { source, writer, metadata } : { source, writer, metadata, requestId };
}

function mayCreateSession(command: VariableWrite): boolean {
  return "onMissing" in command && command.onMissing === "infer";
}

function carryOut(draft: Draft, command: VariableWrite): Decision | Refusal {
  switch (command.kind) {
    case "registerVariable":
      return single(draft, command.kind, command.definition.name, register(draft, command.definition));
    case "ensureVariables":
      return ensureAll(draft, command);
    case "setVariable": {
      const { item, onMissing } = command;
      return single(draft, command.kind, item.identifier, set(draft, item, onMissing));
    }
    case "setVariables":
      return setAll(draft, command);
    case "incrementVariable": {
      const { identifier, by, onMissing } = command;
      return single(draft, command.kind, identifier, increment(draft, identifier, by, onMissing));
    }
    case "deleteVariable":
      return single(draft, command.kind, command.identifier, drop(draft, command.identifier));
  }
}

/** A write of one variable: its change, or the refusal with the identifier that it is about. */
function single(
  draft: Draft,
  kind: VariableWrite["kind"],
  identifier: string,
  change: Change | Refusal,
): Decision | Refusal {
  return change instanceof Refusal ? change.at({ identifier }) : committed(draft.commit(kind, [change]));
}

function drop(draft: Draft, text: string): Change | Refusal {
  const identifier = parseIdentifier(text);
  if (identifier instanceof Refusal) return identifier;
  const variable = draft.find(identifier);
  if (variable === undefined) return variableNotFound(text);
  return { kind: "drop", name: variable.name, version: variable.version };
}

/** All definitions or none, and every one at fault is named. */
function ensureAll(draft: Draft, { kind, definitions }: EnsureVariables): Decision | Refusal {
  const changes: Change[] = [];
  const faults: ItemRefusal[] = [];
  const variables: Variable[] = [];
  const seen = new Set<string>();
  for (const [index, definition] of definitions.entries()) {
    const { name } = definition;
    const change = seen.has(name) ? duplicate(name) : ensure(draft, definition);
    seen.add(name);
    if (change instanceof Refusal) {
      faults.push({
        index,
        identifier: name,
        refusal: change.at({ identifier: name }),
      });
      continue;
    }
    const variable = change?.kind === "define" ? change.variable : draft.find({ name });
    if (variable !== undefined) variables.push(variable);
    if (change !== undefined) changes.push(change);
  }
  if (faults.length > 0) return batchRefused(faults, definitions.length);
  const outcome: VariableOutcome = { kind, variables };
  return changes.length === 0
    ? { kind: "unchanged", outcome }
    : committed(draft.commit(kind, changes), outcome);
}

/** Atomic: all items or none, and every one at fault is named. Best effort: what can be. Either way one commit. */
function setAll(draft: Draft, { kind, items, atomic, onMissing }: SetVariables): Decision | Refusal {
  const changes: Change[] = [];
  const faults: ItemRefusal[] = [];
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const { identifier } = item;
    const target = targetOf(draft, identifier);
    const change = seen.has(target) ? duplicate(identifier) : set(draft, item, onMissing);
    seen.add(target);
    if (change instanceof Refusal) faults.push({ index, identifier, refusal: change.at({ identifier }) });
    else changes.push(change);
  }
  if (atomic && faults.length > 0) return batchRefused(faults, items.length);
  if (changes.length > 0) return committed(draft.commit(kind, changes, faults));
  return {
    kind: "unchanged",
    outcome: { kind, results: faults.map(({ refusal }) => refusal) },
  };
}

/** What an identifier leads to: the same variable by name and by id is the same; an id that leads nowhere is itself. */
function targetOf(draft: Draft, text: string): string {
  const identifier = parseIdentifier(text);
  return identifier instanceof Refusal ? text : (draft.find(identifier)?.name ?? text);
}

function duplicate(identifier: string): Refusal {
  return new Refusal("DUPLICATE_ITEM", "the variable stands more than once in the batch", { identifier });
}

function batchRefused(items: readonly ItemRefusal[], count: number): Refusal {
  const named = items
    .slice(0, 5)
    .map(({ identifier, refusal }) => `${quoteName(identifier)}: ${refusal.message}`);
  const more = items.length > named.length ? `; and ${items.length - named.length} more` : "";
  const message = `the batch was refused, ${items.length} of ${count} items are at fault: ${named.join("; ")}${more}`;
  return new Refusal("BATCH_REFUSED", message, { items });
}

/** `outcome` is what can be read off the commit, unless it is given. */
function committed(commit: Commit | Refusal, outcome?: VariableOutcome): Decision | Refusal {
  if (commit instanceof Refusal) return commit;
  return { kind: "commit", commit, outcome: outcome ?? (outcomeOf(commit) as VariableOutcome) };
}
