/**
 * Reads what watches are told. Several watches of one client that look at one session are told its commits in the same bytes, one
 * watch after the other: each commit is decoded once, as the bridge encodes it once.
 */
import type { Told } from "../../core/watch.js";
import { toldFromBytes } from "../../wire/channel.js";

/** So many of what was told last are known by their bytes, none of them longer than this. */
const MOST_KNOWN = 256;
const MOST_BYTES = 1_024;

export class ToldReader {
  readonly #known = new Map<string, Told>();

  /**
   * @param isShared whether another watch may be told the same
   * @throws BridgeError with reason PROTOCOL if the bytes make no sense
   */
  read(bytes: Uint8Array, isShared: boolean): Told {
    if (!isShared || bytes.length > MOST_BYTES) return toldFromBytes(bytes);
    const key = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const told = toldFromBytes(bytes);
    this.#known.set(key, told);
    if (this.#known.size > MOST_KNOWN) {
      // The one that has been known longest.
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
    return told;
  }
}
