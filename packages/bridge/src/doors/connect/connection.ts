/**
 * A connection over HTTP/1.1. Its requests are answered one after the other, so they are served so: one that was sent before
 * its turn waits, as RFC 9112 wants it of those that may change something. None is begun that nobody could be answered any more.
 *
 * A client that sends more than it waits for slows itself down and nobody else: nothing more is read from it while too many
 * wait (P9).
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

/** While more wait than this, nothing more is read. What had been read by then waits too, which is 64 KiB. */
const MOST_WAITING = 16;

export class Connection {
  readonly #socket: Socket;
  /** How to begin those that wait, in order. */
  readonly #waiting: (() => void)[] = [];
  /** The request whose turn it is. */
  #running: IncomingMessage | undefined;
  #isPaused = false;
  #draining = false;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** Has a request served when it is its turn, which is over when its response is. */
  serve(request: IncomingMessage, response: ServerResponse, serve: () => void): void {
    const begin = (): void => {
      this.#running = request;
      response.once("close", () => this.#next());
      serve();
    };
    if (this.#running === undefined) return begin();
    this.#waiting.push(begin);
    // Not before all that was read is taken apart: after each request Node goes on reading.
    if (this.#waiting.length > MOST_WAITING) process.nextTick(() => this.#throttle());
  }

  /** Ends when all that was asked on it is answered. */
  drain(): void {
    this.#draining = true;
    if (this.#running === undefined) this.#socket.destroy();
  }

  /**
   * Ends since something has come that is no request, or none in time, and says so. While a request is carried out it says
   * nothing, for that would be taken for the answer to it.
   */
  refuse(status: string): void {
    if (this.#running?.complete !== true && this.#socket.writable)
      this.#socket.write(`HTTP/1.1 ${status}\r\nConnection: close\r\n\r\n`);
    this.#socket.destroySoon();
  }

  #next(): void {
    if (!this.#socket.writable) return;
    const begin = this.#waiting.shift();
    this.#throttle();
    if (begin !== undefined) return begin();
    this.#running = undefined;
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
