/**
 * What one side of a channel has to say, as messages to be sent: all that is ready goes in one, up to the length that a
 * message may have.
 */
import { CHANNEL_MESSAGE_BYTES } from "./channel.js";
import { joined } from "./parts.js";

export class Outbox {
  /** Messages of one frame each, oldest first. Those before `#next` are gone. */
  #frames: Uint8Array[] = [];
  #next = 0;
  #bytes = 0;

  /** How much is waiting. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds a message of one frame. */
  add(frame: Uint8Array): void {
    this.#frames.push(frame);
    this.#bytes += frame.length;
  }

  /** The next message; undefined if nothing waits. */
  take(): Uint8Array | undefined {
    const start = this.#next;
    let length = 0;
    for (; this.#next < this.#frames.length; this.#next++) {
      const frame = this.#frames[this.#next] as Uint8Array;
      if (length > 0 && length + frame.length > CHANNEL_MESSAGE_BYTES) break;
      length += frame.length;
    }
    const frames = this.#frames.slice(start, this.#next);
    if (this.#next === this.#frames.length) {
      this.#frames = [];
      this.#next = 0;
    }
    this.#bytes -= length;
    return frames.length > 1 ? joined(frames, length) : frames[0];
  }
}
