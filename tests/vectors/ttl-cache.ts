/** Takes a TTL cache through the steps of a vector. */
import { fromJson, toJson } from "@bufbuild/protobuf";
import { type CachedVariable, type Fetch, TtlCache } from "../../packages/bridge/src/client/ttl-cache.js";
import { inferredFrom, literalOf } from "../../packages/bridge/src/core/values/types.js";
import { ValueSchema } from "../../packages/bridge/src/wire/gen/snakepit/bridge/v1/values_pb.js";
import { literalFromProto, literalToProto } from "../../packages/bridge/src/wire/values.js";
import type { Json, JsonObject } from "./files.js";

/** What each step answers. */
export function ttl(input: Json): Json {
  const { ttlMs, room, steps } = input as {
    readonly ttlMs: number;
    readonly room?: number;
    readonly steps: readonly JsonObject[];
  };
  const subject = new TtlCache(ttlMs, room);
  const fetches = new Map<string, Fetch>();
  return { steps: steps.map((step) => taken(subject, fetches, step)) };
}

function taken(subject: TtlCache, fetches: Map<string, Fetch>, step: JsonObject): Json {
  const at = step["at"] as number;
  const fetch = (name: Json): Fetch => fetches.get(name as string) as Fetch;
  if ("lookUp" in step) return shown(subject, step["lookUp"] as string, at);
  if ("isCurrent" in step)
    return subject.isCurrent(step["isCurrent"] as string, fetch(step["since"] as Json));
  if ("counts" in step) return { ...subject.counts(at) };
  if ("setTtl" in step) return set(subject, Number(step["setTtl"]));
  if ("begin" in step) fetches.set(step["begin"] as string, subject.begin(at));
  else if ("store" in step)
    subject.store(variableOf(step["variable"] as JsonObject), fetch(step["store"] as Json), at);
  else if ("wrote" in step) subject.wrote(step["wrote"] as string);
  else if ("invalidate" in step) subject.invalidate((step["invalidate"] as string | null) ?? undefined);
  else subject.observe(step["observe"] as string);
  return null;
}

function shown(subject: TtlCache, identifier: string, at: number): Json {
  const hit = subject.lookUp(identifier, at);
  if (hit === undefined) return null;
  const { type, value, revision } = hit.variable;
  const proto = literalToProto(literalOf(type, value));
  return { value: toJson(ValueSchema, proto) as Json, revision: revision.number, ageMs: hit.ageMs };
}

function set(subject: TtlCache, ttlMs: number): Json {
  try {
    subject.setTtl(ttlMs);
    return null;
  } catch (error) {
    if (error instanceof RangeError) return "refused";
    throw error;
  }
}

function variableOf({ name, id, revision, value }: JsonObject): CachedVariable {
  const literal = literalFromProto(fromJson(ValueSchema, value as never));
  if (literal.kind === "unknown") throw new Error("a value of a vector has an arm");
  return {
    name: name as string,
    id: (id ?? `var_${name}_1`) as string,
    type: inferredFrom(literal.kind) ?? "json",
    value: literal.value,
    version: 1,
    revision: { incarnation: "", number: revision as number, check: 0n },
  };
}
