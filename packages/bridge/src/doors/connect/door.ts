/** The door for pages and curl: the RPCs of the contract over HTTP/1.1, by the Connect protocol, in JSON or binary. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { quoteName } from "../../core/names.js";
import { Refusal } from "../../core/refusal.js";
import type { Form } from "../../wire/connect.js";
import { CLIENT_KEY } from "../../wire/keys.js";
import { type AnyRpc, type Rpc, SERVICES, type StreamRpc } from "../../wire/services.js";
import { broken, brokenWatch, type DoorContext } from "../answering.js";
import { refuseClient } from "../client-version.js";
import type { Door } from "../door.js";
import { WatchStreams } from "../watch-stream.js";
import { allow, answerError, answerPlain } from "./answers.js";
import { Connection } from "./connection.js";
import { Guard, type GuardOptions } from "./guard.js";
import { type Asked, formOf, STREAM_FORMS, timeoutOf, UNARY_FORMS } from "./request.js";
import { serveStream } from "./stream.js";
import { serveUnary } from "./unary.js";

/** In milliseconds. */
const TIMES = {
  /** How long a request may take to come, and its head alone. */
  headersTimeout: 10_000,
  requestTimeout: 60_000,
  /** How often it is looked whether one takes longer. */
  connectionsCheckingInterval: 2_000,
  /** How long a connection is kept that nobody uses: longer than by proxies, so that none uses one that is being closed. */
  keepAliveTimeout: 75_000,
};

/** What is told of what is no request, by what Node says of it. */
const NO_REQUEST: ReadonlyMap<string | undefined, string> = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["HPE_CHUNK_EXTENSIONS_OVERFLOW", "413 Payload Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

interface Served extends AnyRpc {
  readonly forms: ReadonlyMap<string, Form>;
  readonly serve: (asked: Asked) => Promise<void>;
  /** What a caller is told of a bug. */
  readonly broken: (error: unknown) => Refusal;
}

export class ConnectDoor implements Door {
  readonly #context: DoorContext;
  readonly #guard: Guard;
  readonly #streams: WatchStreams;
  readonly #rpcs: ReadonlyMap<string, Served>;
  readonly #server: Server;
  readonly #connections = new Map<Socket, Connection>();
  #draining = false;
  /** Called when the last connection has gone. */
  #left = (): void => {};

  constructor(context: DoorContext, options: GuardOptions, times: Partial<typeof TIMES> = {}) {
    this.#context = context;
    this.#guard = new Guard(options);
    this.#streams = new WatchStreams(context);
    this.#rpcs = new Map(
      SERVICES.flatMap(({ rpcs, streams }) => [
        ...rpcs.map((rpc) => this.#unary(rpc)),
        ...streams.map((rpc) => this.#stream(rpc)),
      ]).map((served) => [served.path, served]),
    );
    this.#server = createServer({ ...TIMES, ...times }, (request, response) =>
      this.#receive(request, response),
    );
    this.#server.on("clientError", ({ code }: NodeJS.ErrnoException, socket) => {
      this.#connections.get(socket as Socket)?.refuse(NO_REQUEST.get(code) ?? "400 Bad Request");
    });
    // It begins to look after slow requests when it listens, which it never does.
    this.#server.emit("listening");
  }

  take(socket: Socket): void {
    this.#connections.set(socket, new Connection(socket));
    socket.once("close", () => {
      this.#connections.delete(socket);
      if (this.#connections.size === 0) this.#left();
    });
    this.#server.emit("connection", socket);
  }

  async drain(): Promise<void> {
    this.#draining = true;
    this.#streams.drain();
    for (const connection of this.#connections.values()) connection.drain();
    if (this.#connections.size > 0)
      await new Promise<void>((resolve) => {
        this.#left = resolve;
      });
    this.#server.close();
  }

  cutOff(): void {
    for (const socket of this.#connections.keys()) socket.destroy();
  }

  #unary(rpc: Rpc): Served {
    const { logger } = this.#context;
    return {
      ...rpc,
      forms: UNARY_FORMS,
      serve: (asked) => serveUnary(this.#context, rpc, asked),
      broken: (error) => broken(logger, error, rpc.kind, "may have been"),
    };
  }

  #stream(rpc: StreamRpc): Served {
    const { logger } = this.#context;
    return {
      ...rpc,
      forms: STREAM_FORMS,
      serve: (asked) => serveStream(this.#context, this.#streams, rpc, asked),
      broken: (error) => brokenWatch(logger, error),
    };
  }

  #receive(request: IncomingMessage, response: ServerResponse): void {
    // A connection that breaks is seen where it is read.
    for (const end of [request, response]) end.on("error", () => {});
    this.#connections.get(request.socket)?.serve(request, response, () => this.#serve(request, response));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    response.setHeader("x-content-type-options", "nosniff");
    response.setHeader("cache-control", "no-store");
    const judgement = this.#guard.judge(request.headers);
    if ("refusal" in judgement) return answerPlain(response, 403, "PERMISSION_DENIED", judgement.refusal);
    if (judgement.origin !== undefined && allow(request, response, judgement.origin)) return;
    const served = this.#rpcs.get(request.url?.split("?", 1)[0] ?? "");
    if (served === undefined) return nothingHere(request, response);
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      return answerPlain(response, 405, "UNIMPLEMENTED", `an RPC is asked by POST, not ${request.method}`);
    }
    this.#ask(request, response, served);
  }

  #ask(request: IncomingMessage, response: ServerResponse, { forms, name, serve, broken }: Served): void {
    const types = [...forms.keys()].join(" or ");
    const form = formOf(request.headers, forms);
    const encoding =
      request.headers[forms === STREAM_FORMS ? "connect-content-encoding" : "content-encoding"];
    if (form === undefined) {
      response.setHeader("accept-post", types.replace(" or ", ", "));
      return answerPlain(response, 415, "UNKNOWN", `${name} takes a body of type ${types}`);
    }
    if (encoding !== undefined && encoding !== "identity")
      return answerPlain(
        response,
        415,
        "UNIMPLEMENTED",
        "the body is compressed, which this bridge does not take",
      );
    const timeoutMs = timeoutOf(request.headers);
    if (timeoutMs instanceof Refusal) return answerError(response, timeoutMs);
    if (this.#draining)
      return answerError(
        response,
        new Refusal("SHUTTING_DOWN", "the bridge is shutting down; nothing was done"),
      );
    const refusal = refuseClient(request.headers[CLIENT_KEY]);
    serve({ request, response, form, refusal, timeoutMs }).catch((error: unknown) => {
      // Nobody is there to be told.
      if (response.destroyed || request.errored !== null) return;
      const why = broken(error);
      if (response.headersSent) response.destroy();
      else answerError(response, why);
    });
  }
}

function nothingHere({ url = "" }: IncomingMessage, response: ServerResponse): void {
  const text = `this is a bridge, and there is nothing at ${quoteName(url)}`;
  answerPlain(response, 404, "UNIMPLEMENTED", text);
}
