/** Takes a replica through the steps of a vector. */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { Replica } from "../../packages/bridge/src/client/replica.js";
import type { Revision } from "../../packages/bridge/src/core/commands.js";
import type { StateEntry, StateUpdate } from "../../packages/bridge/src/core/state-update.js";
import { inferredFrom, literalOf } from "../../packages/bridge/src/core/values/types.js";
import {
  ValueSchema,
  VariableType,
} from "../../packages/bridge/src/wire/gen/snakepit/bridge/v1/values_pb.js";
import { literalFromProto, literalToProto, typeFromProto } from "../../packages/bridge/src/wire/values.js";
import type { Json, JsonObject } from "./files.js";

/** What each step answers. */
export function replica(input: Json): Json {
  const { budget, steps } = input as { readonly budget?: number; readonly steps: readonly JsonObject[] };
  const subject = budget === undefined ? new Replica() : new Replica(budget);
  return { steps: steps.map((step) => taken(subject, step)) };
}

function taken(subject: Replica, step: JsonObject): Json {
  const at = step["at"] as number;
  if ("update" in step) return subject.take(updateOf(step["update"] as JsonObject), at);
  if ("access" in step) return subject.access(at, step["access"] as number);
  if ("find" in step) return shown(subject.find(step["find"] as string));
  if ("status" in step) return status(subject, at);
  if ("lost" in step) subject.lost(step["lost"] as string);
  else if ("forget" in step) subject.forget(step["forget"] as string);
  else if ("doubt" in step) subject.doubt();
  else if ("answered" in step) subject.answered(pointOf(step["answered"] as string));
  else subject.asking();
  return null;
}

function status(subject: Replica, at: number): Json {
  const { state, reason, revision, size, bytes } = subject;
  return {
    state,
    ...(reason === undefined ? {} : { reason }),
    ...(revision === undefined ? {} : { revision: textOf(revision), ageMs: subject.ageMs(at) ?? null }),
    size,
    bytes,
  };
}

function updateOf({ base, revision, changed, deleted, more }: JsonObject): StateUpdate {
  return {
    ...(base === undefined ? {} : { base: pointOf(base as string) }),
    revision: pointOf(revision as string),
    changed: ((changed ?? []) as JsonObject[]).map(entryOf),
    deleted: (deleted ?? []) as string[],
    more: more === true,
  };
}

function entryOf({ name, id, version, type, value }: JsonObject): StateEntry {
  const head = { name: name as string, id: (id ?? `var_${name}_1`) as string, version: version as number };
  const named = type === undefined ? undefined : typeFromProto(VariableType[typeKey(type as string)]);
  if (value === undefined) return { ...head, type: named ?? "string" };
  const literal = literalFromProto(fromJson(ValueSchema, value as never));
  if (literal.kind === "unknown") throw new Error("a value of a vector has an arm");
  return { ...head, type: named ?? inferredFrom(literal.kind) ?? "json", value: literal.value };
}

function typeKey(name: string): keyof typeof VariableType {
  return name.replace("VARIABLE_TYPE_", "") as keyof typeof VariableType;
}

function shown(entry: StateEntry | undefined): Json {
  if (entry === undefined) return null;
  const { name, version, type, value } = entry;
  if (value === undefined) return { name, version };
  return { name, version, value: toJson(ValueSchema, literalToProto(literalOf(type, value))) as Json };
}

/** `A-3` is incarnation A at revision 3; `!` is another check, `0` no session. */
function pointOf(text: string): Revision {
  if (text === "0") return { incarnation: "", number: 0, check: 0n };
  const [letter = "", number = ""] = text.replace("!", "").split("-");
  const check = BigInt(number) + (text.endsWith("!") ? 1_000n : 0n);
  return { incarnation: letter.charCodeAt(0).toString(16).repeat(16), number: Number(number), check };
}

function textOf({ incarnation, number, check }: Revision): string {
  if (number === 0) return "0";
  const letter = String.fromCharCode(Number.parseInt(incarnation.slice(0, 2), 16));
  return `${letter}-${number}${check === BigInt(number) ? "" : "!"}`;
}
