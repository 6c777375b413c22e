/**
 * The bytes of a message of one frame. They are those that the contract says, written by hand: every command and every reply
 * passes here, and a general encoder takes longer for what is around them than for what is in them.
 */

/** Where a frame stands in its message, and its fields in it. */
interface Layout {
  readonly frames: number;
  readonly id: number;
  readonly content: number;
  readonly more: number;
}

/** `CommandFrame` in `ChannelRequest.commands`. */
const COMMAND: Layout = { frames: 2, id: 1, content: 3, more: 4 };
/** `CommandFrame.timeout_ms` */
const TIMEOUT = 2;
/** `EventFrame` in `ChannelResponse.events`. */
const EVENT: Layout = { frames: 2, id: 1, content: 2, more: 3 };
/** `ReplyFrame` in `ChannelResponse.replies`. */
const REPLY: Layout = { frames: 3, id: 1, content: 2, more: 3 };

/** A request that is one frame of a command. Numbers are from 0 to 2^32 − 1. */
export function commandFrame(
  id: number,
  timeoutMs: number | undefined,
  content: Uint8Array,
  more: boolean,
): Uint8Array {
  return frame(COMMAND, id, timeoutMs, content, more);
}

/** A response that is one frame of what a watch tells. */
export function eventFrame(id: number, content: Uint8Array, more: boolean): Uint8Array {
  return frame(EVENT, id, undefined, content, more);
}

/** A response that is one frame of a reply. */
export function replyFrame(id: number, content: Uint8Array, more: boolean): Uint8Array {
  return frame(REPLY, id, undefined, content, more);
}

function frame(
  layout: Layout,
  id: number,
  timeoutMs: number | undefined,
  content: Uint8Array,
  more: boolean,
): Uint8Array {
  // What has the value that an absent field has is absent.
  const idBytes = id === 0 ? 0 : 1 + varintBytes(id);
  const timeoutBytes = timeoutMs === undefined ? 0 : 1 + varintBytes(timeoutMs);
  const contentBytes = content.length === 0 ? 0 : 1 + varintBytes(content.length) + content.length;
  const length = idBytes + timeoutBytes + contentBytes + (more ? 2 : 0);
  const bytes = new Uint8Array(1 + varintBytes(length) + length);
  let at = putVarint(bytes, put(bytes, 0, (layout.frames << 3) | 2), length);
  if (idBytes > 0) at = putVarint(bytes, put(bytes, at, layout.id << 3), id);
  if (timeoutMs !== undefined) at = putVarint(bytes, put(bytes, at, TIMEOUT << 3), timeoutMs);
  if (contentBytes > 0) {
    at = putVarint(bytes, put(bytes, at, (layout.content << 3) | 2), content.length);
    bytes.set(content, at);
    at += content.length;
  }
  if (more) put(bytes, put(bytes, at, layout.more << 3), 1);
  return bytes;
}

function put(bytes: Uint8Array, at: number, byte: number): number {
  bytes[at] = byte;
  return at + 1;
}

/** Seven bits a byte, the lowest first. */
function putVarint(bytes: Uint8Array, start: number, value: number): number {
  let at = start;
  let rest = value;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) at = put(bytes, at, (rest % 128) | 0x80);
  return put(bytes, at, rest);
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) count++;
  return count;
}
