/**
 * A server that only has accidents: each request meets the next one of a script. It knows nothing of sessions and
 * variables; where an answer is needed, the script brings its bytes.
 */
import { createServer, type Server as NetServer, type Socket, connect as tcpConnect } from "node:net";
import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from "@grpc/grpc-js";
import type { CommandKind } from "../../core/commands.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { pathOf } from "./grpc-methods.js";

/** What happens to a request. */
export type Accident = (request: Buffer, answer: sendUnaryData<Buffer>, server: AccidentServer) => void;

/** The request is answered with these bytes. */
export function answer(bytes: Uint8Array): Accident {
  return (_, reply) => reply(null, Buffer.from(bytes));
}

/** The request ends with this status, and with these bytes as its details. */
export function status(code: number, details?: Uint8Array): Accident {
  return (_, reply) => {
    const metadata = new Metadata();
    if (details !== undefined) metadata.set("grpc-status-details-bin", Buffer.from(details));
    reply({ code, details: "an accident", metadata });
  };
}

/** The request arrives, and then the connection breaks. */
export const breakConnection: Accident = (_request, _answer, server) => server.breakConnections();

/** The request arrives, and nothing follows. */
export const keepSilent: Accident = () => {};

const KINDS: readonly CommandKind[] = ["getSession", "setVariable", "setVariables", "deleteSession", "ping"];

export class AccidentServer {
  /** The requests so far, as bytes. */
  readonly requests: Buffer[] = [];
  /** Done when the first call is cancelled by its client. */
  readonly cancelled: Promise<void>;
  #tellCancelled = (): void => {};
  readonly #grpc = new Server();
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { count: number; arrived: () => void }[] = [];
  #front: NetServer | undefined;
  readonly #script: readonly Accident[];

  private constructor(script: readonly Accident[]) {
    this.#script = script;
    this.cancelled = new Promise((resolve) => {
      this.#tellCancelled = resolve;
    });
  }

  /** Starts a server with a script; its last accident happens again and again. */
  static async start(...script: Accident[]): Promise<AccidentServer> {
    const server = new AccidentServer(script);
    await server.#listen();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${portOf(this.#front as NetServer)}`;
  }

  /** Done when so many requests have arrived. */
  received(count: number): Promise<void> {
    return new Promise((arrived) => {
      this.#waiting.push({ count, arrived });
      this.#tell();
    });
  }

  /** Breaks all connections, and takes new ones. */
  breakConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Breaks all connections, and takes none any more. */
  vanish(): void {
    this.#front?.close();
    this.breakConnections();
  }

  close(): void {
    this.vanish();
    this.#grpc.forceShutdown();
  }

  async #listen(): Promise<void> {
    const unary = { requestStream: false, responseStream: false } as const;
    const asItIs = (bytes: Buffer): Buffer => bytes;
    const convert = {
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    };
    this.#grpc.addService(
      Object.fromEntries(KINDS.map((kind) => [kind, { path: pathOf(kind), ...unary, ...convert }])),
      Object.fromEntries(KINDS.map((kind) => [kind, this.#handle])),
    );
    const port = await new Promise<number>((resolve, reject) => {
      this.#grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    // grpc-js has no way to break a connection, so everything goes through sockets that can be destroyed.
    this.#front = createServer((near) => {
      const far = tcpConnect(port, "127.0.0.1");
      for (const socket of [near, far]) {
        this.#sockets.add(socket);
        socket.setNoDelay(true);
        socket.on("error", () => {});
        socket.on("close", () => {
          this.#sockets.delete(socket);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
    await listening(this.#front);
  }

  readonly #handle = (call: ServerUnaryCall<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
    call.on("cancelled", this.#tellCancelled);
    const accident = this.#script[Math.min(this.requests.length, this.#script.length - 1)] ?? keepSilent;
    this.requests.push(call.request);
    accident(call.request, reply, this);
    this.#tell();
  };

  #tell(): void {
    for (const { count, arrived } of this.#waiting) if (this.requests.length >= count) arrived();
  }
}

/** A clock that stands still, and lets a test wait until somebody waits by it. */
export class WatchedClock extends ManualClock {
  readonly #set = new Set<{ readonly ms: number }>();
  readonly #waiting = new Set<() => void>();

  override setTimer(ms: number, fire: () => void): () => void {
    const timer = { ms };
    const cancel = super.setTimer(ms, () => {
      this.#set.delete(timer);
      fire();
    });
    this.#set.add(timer);
    for (const look of this.#waiting) look();
    return () => {
      this.#set.delete(timer);
      cancel();
    };
  }

  /** Lets so much time pass as soon as somebody waits for exactly that. */
  async pass(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (![...this.#set].some((timer) => timer.ms === ms)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    this.advance(ms);
  }
}

/** A port that nobody listens on. */
export async function deadPort(): Promise<number> {
  const server = createServer();
  await listening(server);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server that takes connections and says nothing. */
export async function startSilentServer(): Promise<{ address: string; close: () => void }> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await listening(server);
  return {
    address: `127.0.0.1:${portOf(server)}`,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function listening(server: NetServer): Promise<void> {
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
}

function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server does not listen");
  return address.port;
}
