/** A connection of which a test says every byte. */
import { connect, type Socket } from "node:net";

export class RawSocket {
  readonly socket: Socket;
  /** Done when the server has ended the connection, or it is over otherwise. */
  readonly closed: Promise<void>;
  #received = Buffer.alloc(0);
  readonly #waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true, noDelay: true });
    this.socket.on("error", () => {});
    this.socket.on("data", (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes]);
      this.#tell();
    });
    this.socket.on("end", () => {
      this.#tell();
      this.socket.end();
    });
    this.closed = new Promise((resolve) => {
      this.socket.on("close", () => {
        this.#tell();
        resolve();
      });
    });
  }

  /** What has come so far. */
  get received(): Buffer {
    return this.#received;
  }

  get text(): string {
    return this.#received.toString("latin1");
  }

  say(bytes: string | Uint8Array): Promise<void> {
    return new Promise((resolve) => this.socket.write(bytes, () => resolve()));
  }

  /** Says one byte after the other, each in a packet of its own. */
  async spell(bytes: string): Promise<void> {
    for (const byte of Buffer.from(bytes, "latin1")) {
      await this.say(Uint8Array.of(byte));
      await new Promise(setImmediate);
    }
  }

  /** Done as soon as enough has come; rejects if the connection ends before. */
  until(holds: (received: Buffer) => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        if (holds(this.#received)) resolve();
        else if (this.socket.readableEnded || this.socket.destroyed)
          reject(new Error(`it ended after: ${JSON.stringify(this.text)}`));
        else return;
        this.#waiting.delete(look);
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  #tell(): void {
    for (const look of [...this.#waiting]) look();
  }
}
