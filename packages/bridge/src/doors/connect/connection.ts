/**
 * A connection over HTTP/1.1. Its requests are answered one after the other, so they are served so: one that was sent before
 * its turn waits, as RFC 9112 wants it of those that may change something. None is begun that nobody could be answered any more.
 *
 * A client that sends more than it waits for slows itself down and nobody else: nothing more is read from it while too many
 * wait (P9).
 */
import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** While more wait than this, nothing more is read. What had been read by then waits too, which is 64 KiB. */
const MOST_WAITING = 16;

export class Connection {
  readonly #socket: Socket;
  /** How to begin those that wait, in order. */
  readonly #waiting: (() => void)[] = [];
  #isBusy = false;
  #isPaused = false;
  #draining = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Has a request served when it is its turn, which is over when its response is. */
  serve(response: ServerResponse, serve: () => void): void {
    const begin = (): void => {
      response.once("close", () => this.#next());
      serve();
    };
    if (!this.#isBusy) {
      this.#isBusy = true;
      begin();
      return;
    }
    this.#waiting.push(begin);
    // Not before all that was read is taken apart: after each request Node goes on reading.
    if (this.#waiting.length > MOST_WAITING) process.nextTick(() => this.#throttle());
  }

  /** Ends when all that was asked on it is answered. */
  drain(): void {
    this.#draining = true;
    if (!this.#isBusy) this.#socket.destroy();
  }

  #next(): void {
    if (!this.#socket.writable) return;
    const begin = this.#waiting.shift();
    this.#throttle();
    if (begin !== undefined) return begin();
    this.#isBusy = false;
    if (this.#draining) this.#socket.destroySoon();
  }

  /** Reads on, or not. */
  #throttle(): void {
    const isFull = this.#waiting.length > MOST_WAITING;
    if (isFull === this.#isPaused) return;
    this.#isPaused = isFull;
    if (isFull) this.#socket.pause();
    else this.#socket.resume();
  }
}
