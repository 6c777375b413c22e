/**
 * A server that only has accidents: each command meets the next one of a script. It knows nothing of sessions and
 * variables; where an answer is needed, the script brings its bytes.
 */
import { createServer, type Server as NetServer, type Socket, connect as tcpConnect } from "node:net";
import { Metadata, Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { Refusal } from "../../core/refusal.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { CHANNEL, goingAway, readRequest, replyMessages } from "../../wire/channel.js";

/** What can be done about a command. */
export interface Answers {
  /** Answers it with these bytes. */
  reply(bytes: Uint8Array): void;
  /** Ends the channel with this status, and with these bytes as its details. */
  end(code: number, details?: Uint8Array): void;
  /** Says that the channel takes no more commands. */
  goAway(): void;
}

/** What happens to a command. */
export type Accident = (command: Buffer, answers: Answers, server: AccidentServer) => void;

/** The command is answered with these bytes. */
export function answer(bytes: Uint8Array): Accident {
  return (_, { reply }) => reply(bytes);
}

/** The channel ends with this status, and with these bytes as its details. */
export function status(code: number, details?: Uint8Array): Accident {
  return (_, { end }) => end(code, details);
}

/** The command arrives, and then the connection breaks. */
export const breakConnection: Accident = (_command, _answers, server) => server.breakConnections();

/** The command arrives, and nothing follows. */
export const keepSilent: Accident = () => {};

export class AccidentServer {
  /** The commands so far, as bytes. */
  readonly requests: Buffer[] = [];
  /** Done when the client of the first command waits no longer. */
  readonly cancelled: Promise<void>;
  #tellCancelled = (): void => {};
  /** How many channels were opened so far, and when the first has ended. */
  channels = 0;
  /** How many connections were made so far. */
  connections = 0;
  readonly ended: Promise<void>;
  #tellEnded = (): void => {};
  readonly #grpc = new Server();
  readonly #sockets = new Set<Socket>();
  readonly #waiting: { count: number; arrived: () => void }[] = [];
  #port = 0;
  #front: NetServer | undefined;
  /** True: who connects now hears nothing. */
  #hangs = false;
  readonly #script: readonly Accident[];

  private constructor(script: readonly Accident[]) {
    this.#script = script;
    this.cancelled = new Promise((resolve) => {
      this.#tellCancelled = resolve;
    });
    this.ended = new Promise((resolve) => {
      this.#tellEnded = resolve;
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

  /** Done when so many commands have arrived. */
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

  /** Has all clients make another connection for their next channel, and nothing is heard on any that is made from now on. */
  hang(): void {
    this.#grpc.drain(`127.0.0.1:${this.#port}`, 60_000);
    this.#hangs = true;
  }

  /** Serves those who connect from now on. */
  recover(): void {
    this.#hangs = false;
  }

  close(): void {
    this.vanish();
    this.#grpc.forceShutdown();
  }

  async #listen(): Promise<void> {
    const asItIs = (bytes: Buffer): Buffer => bytes;
    const convert = {
      requestSerialize: asItIs,
      requestDeserialize: asItIs,
      responseSerialize: asItIs,
      responseDeserialize: asItIs,
    };
    this.#grpc.addService(
      { channel: { path: CHANNEL.path, requestStream: true, responseStream: true, ...convert } },
      { channel: this.#handle },
    );
    this.#port = await new Promise<number>((resolve, reject) => {
      this.#grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
        error === null ? resolve(bound) : reject(error),
      );
    });
    // grpc-js has no way to break a connection, so everything goes through sockets that can be destroyed.
    this.#front = createServer((near) => {
      this.connections += 1;
      if (this.#hangs) {
        this.#sockets.add(near.on("error", () => {}));
        return;
      }
      const far = tcpConnect(this.#port, "127.0.0.1");
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

  readonly #handle = (stream: ServerDuplexStream<Buffer, Buffer>): void => {
    this.channels += 1;
    stream.on("error", () => {});
    stream.on("cancelled", this.#tellEnded);
    stream.on("data", (bytes: Buffer) => {
      const request = readRequest(bytes);
      if (request instanceof Refusal) throw new Error(request.message);
      if (request.cancelled.length > 0) this.#tellCancelled();
      for (const { id, command } of request.commands) this.#meet(stream, id, Buffer.from(command));
    });
  };

  #meet(stream: ServerDuplexStream<Buffer, Buffer>, id: number, command: Buffer): void {
    const accident = this.#script[Math.min(this.requests.length, this.#script.length - 1)] ?? keepSilent;
    this.requests.push(command);
    const reply = (bytes: Uint8Array): void => {
      for (const message of replyMessages(id, bytes)) stream.write(Buffer.from(message));
    };
    const end = (code: number, details?: Uint8Array): void => {
      const metadata = new Metadata();
      if (details !== undefined) metadata.set("grpc-status-details-bin", Buffer.from(details));
      stream.emit("error", { code, details: "an accident", metadata });
    };
    const goAway = (): unknown => stream.write(Buffer.from(goingAway()));
    accident(command, { reply, end, goAway }, this);
    this.#tell();
  }

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
    await this.timerOf(ms);
    this.advance(ms);
  }

  /** How many wait for exactly so much time. */
  countOf(ms: number): number {
    return [...this.#set].filter((timer) => timer.ms === ms).length;
  }

  /** Done as soon as somebody waits for exactly so much time. */
  timerOf(ms: number): Promise<void> {
    return new Promise<void>((resolve) => {
      const look = (): void => {
        if (![...this.#set].some((timer) => timer.ms === ms)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
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
