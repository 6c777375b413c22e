/** A server over HTTP that only has accidents: each request of an RPC meets the next one of a script, pings apart. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Refusal } from "../../core/refusal.js";
import { STREAM_TYPE, UNARY_TYPE } from "../../wire/connect.js";
import { codeOf } from "../../wire/errors.js";
import { httpStatusOf, refusalJson } from "../../wire/json.js";
import { type Rpc, SERVICES } from "../../wire/services.js";

/** What happens to a request. */
export type HttpAccident = (response: ServerResponse, server: HttpAccidentServer) => void;

/** It is answered with these bytes. */
export function bytes(content: Uint8Array): HttpAccident {
  return (response) => response.writeHead(200, { "content-type": UNARY_TYPE.proto }).end(content);
}

/** It is answered with this status and body. */
export function body(status: number, text: string, type = "application/json"): HttpAccident {
  return (response) => response.writeHead(status, { "content-type": type }).end(text);
}

/** It is refused as a bridge refuses. */
export function refuse(refusal: Refusal): HttpAccident {
  return body(httpStatusOf(codeOf(refusal.reason)), JSON.stringify(refusalJson(refusal)));
}

/** It is answered with a body that never ends. */
export function endless(status: number, type: string): HttpAccident {
  const piece = Buffer.alloc(1_048_576, "x");
  return (response) => {
    response.writeHead(status, { "content-type": type });
    const goOn = (): void => {
      while (!response.destroyed && response.write(piece));
    };
    response.on("drain", goOn);
    goOn();
  };
}

/** A stream begins and says this; `ends` tells whether it ends then, without a word. */
export function streaming(pieces: readonly Uint8Array[], ends: boolean): HttpAccident {
  return (response) => {
    response.writeHead(200, { "content-type": STREAM_TYPE.proto });
    response.flushHeaders();
    for (const piece of pieces) response.write(piece);
    if (ends) response.end();
  };
}

/** It arrives, and then the connection breaks. */
export const breakConnection: HttpAccident = (response) => response.destroy();

/** It arrives, and nothing follows. */
export const keepSilent: HttpAccident = () => {};

const PING = SERVICES.flatMap(({ rpcs }) => rpcs).find(({ kind }) => kind === "ping") as Rpc;
const PONG = PING.response({ kind: "ping", message: "", serverTimeMs: 0, serverVersion: "1.2.3" });

export class HttpAccidentServer {
  /** The requests so far, pings apart. */
  readonly requests: { readonly path: string; readonly bytes: Buffer; readonly response: ServerResponse }[] =
    [];
  /** How many pings have come. */
  pings = 0;
  /** What happens to a ping. */
  ping: HttpAccident = bytes(PONG);
  readonly #server: Server;
  readonly #script: readonly HttpAccident[];
  readonly #waiting = new Set<() => void>();

  private constructor(script: readonly HttpAccident[]) {
    this.#script = script;
    this.#server = createServer((request, response) => void this.#serve(request, response));
  }

  /** Starts one with a script; its last accident happens again and again. */
  static async start(...script: HttpAccident[]): Promise<HttpAccidentServer> {
    const server = new HttpAccidentServer(script);
    await new Promise<void>((resolve) => server.#server.listen(0, "127.0.0.1", resolve));
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Done when so many requests have come. */
  received(count: number): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.requests.length < count) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece as Buffer);
    if (request.url === PING.path) {
      this.pings++;
      return this.ping(response, this);
    }
    const accident = this.#script[Math.min(this.requests.length, this.#script.length - 1)] ?? keepSilent;
    this.requests.push({ path: request.url ?? "", bytes: Buffer.concat(pieces), response });
    accident(response, this);
    for (const look of [...this.#waiting]) look();
  }
}
