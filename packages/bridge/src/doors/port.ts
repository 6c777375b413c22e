/**
 * The one port of a bridge. The first bytes of a connection decide whose it is: gRPC's if they are the preface of HTTP/2, else
 * that of the door for pages and curl, which speak HTTP/1.1.
 */
import { lookup } from "node:dns/promises";
import { createServer, type Server, type Socket } from "node:net";
import { formatAddress } from "./address.js";

export interface PortOptions {
  /** A name or an address, of IPv4 or IPv6. */
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Takes a connection that began with the preface of HTTP/2. */
  grpc(socket: Socket): void;
  /** Takes any other. */
  http(socket: Socket): void;
  /** How long a connection may be silent before it has said what it is, in milliseconds. Default: 10,000. */
  readonly firstBytesMs?: number;
}

const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const FIRST_BYTES_MS = 10_000;

export class Port {
  readonly #options: PortOptions;
  readonly #servers: Server[] = [];
  /** All connections, whoever has them. */
  readonly #sockets = new Set<Socket>();
  /** How to let go of those that nobody has yet. */
  readonly #undecided = new Set<() => void>();
  #port: number;

  private constructor(options: PortOptions) {
    this.#options = options;
    this.#port = options.port;
  }

  /** Listens. Rejects with one clear sentence if it cannot. */
  static async open(options: PortOptions): Promise<Port> {
    const port = new Port(options);
    try {
      await port.#listen();
    } catch (cause) {
      port.stop();
      const address = formatAddress(options.host, options.port);
      throw new Error(`cannot listen on ${address}: ${problem(cause as NodeJS.ErrnoException)}`, { cause });
    }
    return port;
  }

  /** The port that it listens on. */
  get port(): number {
    return this.#port;
  }

  /** `host:port`, as clients take it. */
  get address(): string {
    return formatAddress(this.#options.host, this.#port);
  }

  /** Takes no more connections, and ends those that have not said what they are. */
  stop(): void {
    for (const server of this.#servers) server.close();
    for (const letGo of this.#undecided) letGo();
  }

  /** Ends what the doors have left. */
  end(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** A name may stand for several addresses, as `localhost` does. Those that this machine does not have are left out. */
  async #listen(): Promise<void> {
    const addresses = await lookup(this.#options.host, { all: true, verbatim: true });
    let missing: unknown;
    for (const { address } of addresses) {
      try {
        await this.#listenOn(address);
      } catch (error) {
        if (!NOT_HERE.has((error as NodeJS.ErrnoException).code)) throw error;
        missing = error;
      }
    }
    if (this.#servers.length === 0) throw missing;
  }

  #listenOn(host: string): Promise<void> {
    // A client that has said all may close its half of the connection and wait for the answer.
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#route(socket));
    return new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen({ host, port: this.#port }, () => {
        server.off("error", reject);
        // Of a listening server, such as too many open files: the connection is refused, and others are taken.
        server.on("error", () => {});
        this.#servers.push(server);
        const bound = server.address();
        if (bound !== null && typeof bound === "object") this.#port = bound.port;
        resolve();
      });
    });
  }

  #route(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => this.#sockets.delete(socket));
    let begun: Buffer = Buffer.alloc(0);
    const letGo = (): void => {
      leave();
      socket.destroy();
    };
    const leave = (): void => {
      clearTimeout(timer);
      this.#undecided.delete(letGo);
      socket.off("readable", look);
      socket.off("end", letGo);
      socket.off("close", leave);
    };
    // Paused, so that what was read can be given back: a door reads from the first byte on.
    const look = (): void => {
      const bytes: Buffer | null = socket.read();
      if (bytes === null) return;
      begun = begun.length === 0 ? bytes : Buffer.concat([begun, bytes]);
      const isGrpc = beginsGrpc(begun);
      if (isGrpc === undefined) return;
      leave();
      socket.unshift(begun);
      if (!isGrpc) return this.#options.http(socket);
      // Otherwise a connection that its client has closed would stay.
      socket.allowHalfOpen = false;
      this.#options.grpc(socket);
    };
    const timer = setTimeout(letGo, this.#options.firstBytesMs ?? FIRST_BYTES_MS);
    this.#undecided.add(letGo);
    socket.on("readable", look);
    socket.once("end", letGo);
    socket.once("close", leave);
  }
}

/** Whether a connection is one of gRPC, as soon as its first bytes tell; undefined: not yet. */
function beginsGrpc(bytes: Buffer): boolean | undefined {
  const length = Math.min(bytes.length, PREFACE.length);
  if (PREFACE.compare(bytes, 0, length, 0, length) !== 0) return false;
  return length === PREFACE.length ? true : undefined;
}

/** What says that an address of a name is none of this machine. */
const NOT_HERE: ReadonlySet<string | undefined> = new Set(["EADDRNOTAVAIL", "EAFNOSUPPORT"]);

function problem({ code, message }: NodeJS.ErrnoException): string {
  return (code === undefined ? undefined : PROBLEMS.get(code)) ?? message;
}

const NOT_A_NAME = "the host name is not known";
const PROBLEMS: ReadonlyMap<string, string> = new Map([
  ["EADDRINUSE", "the port is in use; take another one, or 0 for any that is free"],
  ["EACCES", "this user may not use the port; take one above 1023"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["EAFNOSUPPORT", "this machine does not have that address"],
  ["ENOTFOUND", NOT_A_NAME],
  ["EAI_AGAIN", NOT_A_NAME],
]);
