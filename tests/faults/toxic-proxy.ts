/** A neighbour on the way to a server that does to what it passes on what tests want; `toxics.ts` says what that can be. */
import { createServer, type Server, type Socket, connect as tcpConnect } from "node:net";
import { type Random, randomFrom } from "../crash/random.js";
import { Course, type Direction, type End, Laid, type Toxic } from "./toxics.js";

/** So much waits in one direction before its sender is held up. */
const MOST_WAITING_BYTES = 262_144;

export class ToxicProxy {
  /** How many connections were made so far, and how many of them were ended by it. */
  connections = 0;
  cuts = 0;
  readonly #server: Server;
  readonly #random: Random;
  readonly #open = new Set<Connection>();
  readonly #laid = new Map<string, Laid>();

  private constructor(server: Server, seed: number) {
    this.#server = server;
    this.#random = randomFrom(seed);
  }

  /** Starts one before a port of this machine. The seed is for what is random in latencies. */
  static async start(port: number, seed = 1): Promise<ToxicProxy> {
    // What one side closes the other may still write to.
    const server = createServer({ allowHalfOpen: true });
    const proxy = new ToxicProxy(server, seed);
    server.on("connection", (near) =>
      proxy.#join(near, tcpConnect({ port, host: "127.0.0.1", allowHalfOpen: true })),
    );
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the proxy does not listen");
    return `127.0.0.1:${address.port}`;
  }

  /** How many connections stand. */
  get open(): number {
    return this.#open.size;
  }

  /** Lays a toxic under a name, in place of one that had it. */
  lay(name: string, direction: Direction, toxic: Toxic): void {
    this.#laid.set(name, new Laid(direction, toxic, this.connections));
    if (toxic.kind === "reset") this.cut();
  }

  /** Takes one away. What it has swallowed or ended stays so. */
  lift(name: string): void {
    this.#laid.delete(name);
  }

  /** Resets all connections, in the middle of whatever is on them, and takes new ones. */
  cut(): void {
    for (const connection of this.#open) this.#end(connection);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const connection of this.#open) connection.reset();
    await closed;
  }

  #join(near: Socket, far: Socket): void {
    const number = ++this.connections;
    const connection = new Connection(near, far, {
      courseOf: () => new Course(number, this.#random),
      laidOn: (direction) => [...this.#laid.values()].filter((laid) => laid.direction === direction),
      cut: (how, to) => this.#end(connection, how, to),
      closed: () => this.#open.delete(connection),
    });
    this.#open.add(connection);
  }

  #end(connection: Connection, how: End = "reset", to?: Socket): void {
    if (connection.isOver) return;
    this.cuts++;
    if (how === "reset" || to === undefined) connection.reset();
    else connection.end(to);
  }
}

interface ConnectionParts {
  courseOf(): Course;
  laidOn(direction: Direction): Laid[];
  /** A toxic ends it, after what was passed on `to` a socket. */
  cut(how: End, to: Socket): void;
  closed(): void;
}

/** What is to be done to the socket that it leads to, and when. */
type Step = { readonly at: number } & ({ readonly bytes: Buffer } | { readonly end: End | "half" });

class Connection {
  isOver = false;
  readonly #sockets: readonly Socket[];
  readonly #stops: (() => void)[];
  readonly #parts: ConnectionParts;

  constructor(near: Socket, far: Socket, parts: ConnectionParts) {
    this.#sockets = [near, far];
    this.#parts = parts;
    for (const socket of this.#sockets) {
      socket.setNoDelay(true);
      // Whatever ends one side abruptly ends the other so.
      socket.on("error", () => this.#lost(socket));
      socket.on("close", () => this.#look());
    }
    this.#stops = [this.#pass(near, far, "up"), this.#pass(far, near, "down")];
  }

  /** Ends it so that one side reads all that it was sent, and then an end. */
  end(to: Socket): void {
    this.isOver = true;
    for (const stop of this.#stops) stop();
    for (const socket of this.#sockets) if (socket !== to) socket.resetAndDestroy();
    to.end();
    // It is closed when the other side has had enough; what that still says is nobody's.
    to.removeAllListeners("data").resume();
  }

  reset(): void {
    this.isOver = true;
    for (const stop of this.#stops) stop();
    for (const socket of this.#sockets) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #lost(socket: Socket): void {
    if (!this.isOver) this.reset();
    else socket.destroy();
  }

  #look(): void {
    if (!this.#sockets.every(({ closed }) => closed)) return;
    this.isOver = true;
    this.#parts.closed();
  }

  /** Passes on what one socket brings, until it is stopped. */
  #pass(from: Socket, to: Socket, direction: Direction): () => void {
    const course = this.#parts.courseOf();
    const steps: Step[] = [];
    let waitingBytes = 0;
    let timer: NodeJS.Timeout | undefined;
    const run = (): void => {
      timer = undefined;
      while (!this.isOver && steps[0] !== undefined) {
        const [step] = steps as [Step];
        const waitMs = step.at - performance.now();
        if (waitMs > 0) {
          timer = setTimeout(run, Math.ceil(waitMs));
          return;
        }
        steps.shift();
        if ("end" in step) this.#end(step.end, to);
        else {
          waitingBytes -= step.bytes.length;
          to.write(step.bytes, () => {
            if (waitingBytes < MOST_WAITING_BYTES) from.resume();
          });
        }
      }
    };
    const add = (...more: Step[]): void => {
      steps.push(...more);
      if (timer === undefined) run();
    };
    from.on("data", (chunk: Buffer) => {
      if (this.isOver) return;
      const { pieces, end } = course.take(chunk.length, performance.now(), this.#parts.laidOn(direction));
      let start = 0;
      const more: Step[] = pieces.map(({ bytes, at }) => {
        start += bytes;
        return { at, bytes: chunk.subarray(start - bytes, start) };
      });
      waitingBytes += start;
      if (waitingBytes >= MOST_WAITING_BYTES) from.pause();
      const at = pieces.at(-1)?.at ?? 0;
      add(...more, ...(end === undefined ? [] : [{ at, end }]));
    });
    from.on("end", () => {
      // Who is read no more may close.
      if (this.isOver) from.end();
      else add({ at: course.endAt(performance.now(), this.#parts.laidOn(direction)), end: "half" });
    });
    return () => clearTimeout(timer);
  }

  #end(how: End | "half", to: Socket): void {
    if (how === "half") to.end();
    // Once what was written before has left.
    else to.write("", () => this.#parts.cut(how, to));
  }
}
