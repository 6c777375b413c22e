/**
 * What the log says about a call. Of values only what they are: the arm they came in, the type they are kept as, their
 * size. A value may be a secret, so it never stands in a log.
 */
import type { Command, ItemSet, Reply } from "../core/commands.js";
import type { Literal } from "../core/literal.js";
import { Refusal } from "../core/refusal.js";
import { utf8Length } from "../core/text.js";

/** A batch is told by its first values. */
const MAX_VALUES = 8;

/** Which session and how many variables a command is about. */
export function aboutCommand(command: Command): object {
  const values = given(command);
  return {
    ...("sessionId" in command ? { session: command.sessionId } : {}),
    ...("source" in command && command.source !== undefined ? { source: command.source } : {}),
    ...(values.length > 0 ? { values: values.slice(0, MAX_VALUES), count: values.length } : {}),
  };
}

/** What became of it. */
export function aboutAnswer(answer: Reply | Refusal): object {
  if (answer instanceof Refusal) return { reason: answer.reason };
  const types = kept(answer);
  return {
    ...("revision" in answer ? { revision: answer.revision.number } : {}),
    ...(types.length > 0 ? { kept: types.slice(0, MAX_VALUES) } : {}),
  };
}

/** The values in a command, as `string 12`: the arm, and the bytes that a text takes. */
function given(command: Command): string[] {
  switch (command.kind) {
    case "registerVariable":
      return [describe(command.definition.initialValue)];
    case "ensureVariables":
      return command.definitions.map(({ initialValue }) => describe(initialValue));
    case "setVariable":
      return [describe(command.item.value)];
    case "setVariables":
      return command.items.map(({ value }) => describe(value));
    case "incrementVariable":
      return [describe(command.by)];
    default:
      return [];
  }
}

function describe(literal: Literal): string {
  return literal.kind === "string" || literal.kind === "json"
    ? `${literal.kind} ${utf8Length(literal.value)}`
    : literal.kind;
}

/** The types that written values are kept as, or the reasons why not. */
function kept(reply: Reply): string[] {
  switch (reply.kind) {
    case "registerVariable":
      return [reply.variable.type];
    case "ensureVariables":
      return reply.variables.map(({ type }) => type);
    case "setVariable":
    case "incrementVariable":
      return [reply.item.type];
    case "setVariables":
      return reply.results.map((result: ItemSet | Refusal) =>
        result instanceof Refusal ? result.reason : result.type,
      );
    default:
      return [];
  }
}
