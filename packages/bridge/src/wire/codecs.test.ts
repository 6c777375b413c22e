import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Command, CommandKind, Reply } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { COMMANDS, command, REPLIES, refusal, reply } from "./arbitraries.contract.js";
import { decode, encode } from "./bytes.js";
import { commandFromProto, commandFromRequest, commandToProto, requestFor } from "./commands.js";
import { CommandSchema, ReplySchema } from "./gen/snakepit/bridge/v1/command_pb.js";
import { replyFromProto, replyFromResponse, replyToProto, responseFor } from "./replies.js";
import { SERVICES } from "./services.js";

const KINDS = Object.keys(COMMANDS) as CommandKind[];

function travelled<D extends typeof CommandSchema | typeof ReplySchema>(
  schema: D,
  message: Parameters<typeof encode<D>>[1],
) {
  const decoded = decode(schema, encode(schema, message));
  if (decoded instanceof Refusal) throw new Error(decoded.message);
  return decoded;
}

/** The content of a value, whatever objects it is made of; functions have none. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Refusal) return { refused: value.reason, ...comparableFields(value) };
  if (value instanceof Map) return [...value];
  return typeof value === "object" && value !== null ? comparableFields(value) : value;
}

function comparableFields(value: object): object {
  const entries = Object.entries(value).filter(([, field]) => typeof field !== "function");
  return Object.fromEntries(entries.map(([key, field]) => [`_${key}`, comparable(field)]));
}

describe.each(KINDS)("%s", (kind) => {
  test("a command of this kind is the same after the journey, as an arm and as a request", () => {
    fc.assert(
      fc.property(COMMANDS[kind] as fc.Arbitrary<Command>, (sent) => {
        const message = commandToProto(sent);
        if (message instanceof Refusal) throw new Error(message.message);
        expect(message.kind.case).toBe(kind);
        expect(comparable(commandFromProto(travelled(CommandSchema, message)))).toStrictEqual(
          comparable(sent),
        );
        const request = requestFor(sent as never, kind);
        expect(comparable(commandFromRequest(kind, request as never))).toStrictEqual(comparable(sent));
      }),
      { numRuns: 40 },
    );
  });

  test("a reply of this kind is the same after the journey, as an arm and as a response", () => {
    fc.assert(
      fc.property(REPLIES[kind] as fc.Arbitrary<Reply>, (sent) => {
        const message = replyToProto(sent);
        expect(message.kind.case).toBe(kind);
        expect(comparable(replyFromProto(travelled(ReplySchema, message)))).toStrictEqual(comparable(sent));
        const response = responseFor(kind, sent as never);
        expect(comparable(replyFromResponse(kind, response as never))).toStrictEqual(comparable(sent));
      }),
      { numRuns: 40 },
    );
  });

  test("an empty request is a command or a refusal, an empty response a reply or a PROTOCOL error", () => {
    const { field } = CommandSchema;
    const descriptor = Object.values(field).find(({ localName }) => localName === kind);
    if (descriptor?.message === undefined) throw new Error(`no message for ${kind}`);
    const asked = commandFromRequest(kind, create(descriptor.message) as never);
    expect(asked instanceof Refusal ? asked.reason : asked.kind).toBe(
      kind === "registerVariable" || kind === "setVariable" ? "INVALID_ARGUMENT" : kind,
    );
    const answer = ReplySchema.fields.find(({ localName }) => localName === kind);
    if (answer?.message === undefined) throw new Error(`no message for the reply to ${kind}`);
    const empty = create(answer.message);
    if (kind === "listSessions")
      expect(replyFromResponse(kind, empty as never)).toMatchObject({ sessions: [] });
    else expect(() => replyFromResponse(kind, empty as never)).toThrow(/makes no sense/);
  });
});

test("a refusal is the same after the journey", () => {
  fc.assert(
    fc.property(refusal, (sent) => {
      const received = replyFromProto(travelled(ReplySchema, replyToProto(sent)));
      expect(received).toBeInstanceOf(Refusal);
      expect(comparable(received)).toStrictEqual(comparable(sent));
    }),
  );
});

test("any command and any reply can be told from bytes alone", () => {
  fc.assert(
    fc.property(command, reply, (asked, answered) => {
      const message = commandToProto(asked) as Exclude<ReturnType<typeof commandToProto>, Refusal>;
      expect(commandFromProto(travelled(CommandSchema, message))).toMatchObject({ kind: asked.kind });
      expect(replyFromProto(travelled(ReplySchema, replyToProto(answered)))).toMatchObject({
        kind: answered.kind,
      });
    }),
  );
});

test("[DOOR-2 refuses] a command with no arm asks for nothing", () => {
  const asked = commandFromProto(create(CommandSchema));
  expect(asked).toBeInstanceOf(Refusal);
  expect((asked as Refusal).reason).toBe("INVALID_ARGUMENT");
});

test("a reply with no arm is no answer", () => {
  expect(() => replyFromProto(create(ReplySchema))).toThrow(
    expect.objectContaining({ name: "InternalError", reason: "PROTOCOL" }),
  );
});

test("there is an RPC for every kind of command, of the same name", () => {
  const rpcs = SERVICES.flatMap((service) => service.rpcs);
  expect(rpcs.map(({ kind }) => kind).sort()).toEqual([...KINDS].sort());
  for (const { name, kind, path } of rpcs) {
    expect(name.toLowerCase()).toBe(kind.toLowerCase());
    expect(path).toMatch(/^\/snakepit\.bridge\.v1\.\w+Service\/[A-Z]\w+$/);
  }
});
