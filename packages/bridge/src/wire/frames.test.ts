import fc from "fast-check";
import { expect, test } from "vitest";
import { encode } from "./bytes.js";
import { commandFrame, eventFrame, replyFrame } from "./frames.js";
import { ChannelRequestSchema, ChannelResponseSchema } from "./gen/snakepit/bridge/v1/channel_pb.js";

const edges = [0, 1, 127, 128, 16_383, 16_384, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
const uint32 = fc.oneof(fc.constantFrom(...edges), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
const content = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.constantFrom(127, 128, 16_383, 16_384, 262_000).map((length) => new Uint8Array(length).fill(7)),
);

test("the frame of a command is what the contract's encoder makes of it", () => {
  fc.assert(
    fc.property(
      uint32,
      fc.option(uint32, { nil: undefined }),
      content,
      fc.boolean(),
      (id, timeoutMs, command, more) => {
        const frame = {
          $typeName: "snakepit.bridge.v1.CommandFrame",
          id,
          command,
          more,
          watch: false,
          state: false,
        } as const;
        const wanted = encode(ChannelRequestSchema, {
          $typeName: "snakepit.bridge.v1.ChannelRequest",
          commands: [timeoutMs === undefined ? frame : { ...frame, timeoutMs }],
          cancelled: [],
        });
        expect(Buffer.compare(commandFrame(id, timeoutMs, command, more), wanted)).toBe(0);
      },
    ),
    { numRuns: 1_000 },
  );
});

test("so is that of a reply", () => {
  fc.assert(
    fc.property(uint32, content, fc.boolean(), (id, reply, more) => {
      const wanted = encode(ChannelResponseSchema, {
        $typeName: "snakepit.bridge.v1.ChannelResponse",
        replies: [{ $typeName: "snakepit.bridge.v1.ReplyFrame", id, reply, more }],
        events: [],
        goingAway: false,
      });
      expect(Buffer.compare(replyFrame(id, reply, more), wanted)).toBe(0);
    }),
    { numRuns: 1_000 },
  );
});

test("so is that of an event", () => {
  fc.assert(
    fc.property(uint32, content, fc.boolean(), (id, event, more) => {
      const wanted = encode(ChannelResponseSchema, {
        $typeName: "snakepit.bridge.v1.ChannelResponse",
        events: [{ $typeName: "snakepit.bridge.v1.EventFrame", id, event, more }],
        replies: [],
        goingAway: false,
      });
      expect(Buffer.compare(eventFrame(id, event, more), wanted)).toBe(0);
    }),
    { numRuns: 1_000 },
  );
});
