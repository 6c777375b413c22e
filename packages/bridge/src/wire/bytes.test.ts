import { create } from "@bufbuild/protobuf";
import { getTextEncoding } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Refusal } from "../core/refusal.js";
import { command, reply } from "./arbitraries.contract.js";
import { decode, encode } from "./bytes.js";
import { commandFromProto, commandToProto } from "./commands.js";
import { CommandSchema, ReplySchema } from "./gen/snakepit/bridge/v1/command_pb.js";
import { PingRequestSchema } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { replyFromProto, replyToProto } from "./replies.js";

/** Valid bytes with some of them changed, removed or put in. */
function mutated(frames: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Uint8Array> {
  const edit = fc.record({ at: fc.nat(2_000), remove: fc.nat(3), put: fc.uint8Array({ maxLength: 3 }) });
  return fc.tuple(frames, fc.array(edit, { minLength: 1, maxLength: 4 })).map(([frame, edits]) => {
    const bytes = [...frame];
    for (const { at, remove, put } of edits) bytes.splice(at % (bytes.length + 1), remove, ...put);
    return Uint8Array.from(bytes);
  });
}

const commandBytes = command.map((sent) => {
  const message = commandToProto(sent);
  if (message instanceof Refusal) throw new Error(message.message);
  return encode(CommandSchema, message);
});
const replyBytes = reply.map((sent) => encode(ReplySchema, replyToProto(sent)));
const hostile = (frames: fc.Arbitrary<Uint8Array>) =>
  fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated(frames));

test("any bytes are a command or a refusal", () => {
  fc.assert(
    fc.property(hostile(commandBytes), (bytes) => {
      const message = decode(CommandSchema, bytes);
      const asked = message instanceof Refusal ? message : commandFromProto(message);
      if (asked instanceof Refusal) expect(asked.reason).toBe("INVALID_ARGUMENT");
      else expect(typeof asked.kind).toBe("string");
    }),
    { numRuns: 2_000 },
  );
});

test("any bytes are a reply, a refusal, or an error that says PROTOCOL", () => {
  fc.assert(
    fc.property(hostile(replyBytes), (bytes) => {
      const message = decode(ReplySchema, bytes);
      if (message instanceof Refusal) return;
      try {
        const answer = replyFromProto(message);
        expect(answer instanceof Refusal || typeof answer.kind === "string").toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ name: "InternalError", reason: "PROTOCOL" });
      }
    }),
    { numRuns: 2_000 },
  );
});

test("text keeps a byte order mark at its start", () => {
  for (const message of ["\ufeffa", "\ufeff", "\ufeff\ufeff", `\ufeff${"long ".repeat(20)}`, "é", ""]) {
    const bytes = encode(PingRequestSchema, create(PingRequestSchema, { message }));
    expect(decode(PingRequestSchema, bytes)).toMatchObject({ message });
  }
});

test("text that is not UTF-8 is refused, short or long", () => {
  for (const length of [1, 24, 25, 100]) {
    for (const bad of [0xff, 0xc0, 0x80, 0xed]) {
      const text = new Uint8Array(length).fill(0x61);
      text[length - 1] = bad;
      const answer = decode(PingRequestSchema, Uint8Array.of(0x0a, length, ...text));
      expect(answer).toMatchObject({
        reason: "INVALID_ARGUMENT",
        message: expect.stringMatching(/PingRequest/),
      });
    }
  }
});

test("messages nested deeper than any of ours are refused", () => {
  // `batch` of an error, and `error` of its items, over and over.
  let bytes = new Uint8Array();
  for (let depth = 0; depth < 200; depth++) {
    for (const tag of [[0x72], [0x0a], [0x1a]])
      bytes = Uint8Array.from([...tag, ...varint(bytes.length), ...bytes]);
  }
  bytes = Uint8Array.from([0x82, 0x01, ...varint(bytes.length), ...bytes]);
  expect(decode(ReplySchema, bytes)).toBeInstanceOf(Refusal);
});

test("decoding leaves no trace in the process, even if it fails", () => {
  const before = getTextEncoding();
  decode(PingRequestSchema, Uint8Array.of(0x0a, 1, 0xff));
  decode(PingRequestSchema, Uint8Array.of(0x0a, 1, 0x61));
  expect(getTextEncoding()).toBe(before);
  expect(Object.keys(Object.prototype)).toEqual([]);
});

function varint(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}
