/**
 * The transport to a bridge elsewhere: one unary gRPC call for each attempt to have a command carried out.
 *
 * A command is made into bytes once, so that every attempt is the same request under the same request id. What a failed
 * attempt means is decided in `outcome.ts`; here it is done.
 */
import { Client, credentials, Metadata, type ServiceError } from "@grpc/grpc-js";
import type { Clock } from "../../core/clock.js";
import type { Command, ReplyTo } from "../../core/commands.js";
import { type BridgeError, type ErrorReason, errorFor, errorFrom } from "../../core/errors.js";
import type { Refusal } from "../../core/refusal.js";
import { VERSION } from "../../version.js";
import { CLIENT_KEY, DETAIL_BYTES_KEY, refusalFromDetails, transportError } from "../../wire/status.js";
import { afterFailure, type Verdict } from "../outcome.js";
import { AbortWatch, type OnAbort } from "./abort.js";
import { checkAddress } from "./address.js";
import { Connection } from "./grpc-connection.js";
import { decodeReply, encodeRequest, pathOf } from "./grpc-methods.js";
import { CHANNEL_OPTIONS, DETAIL_BYTES } from "./grpc-options.js";
import { systemClock } from "./system-clock.js";
import { type CallOptions, checkTimeout, DEFAULT_TIMEOUT_MS, isWrite, type Transport } from "./transport.js";
import { pause } from "./waiting.js";

export interface GrpcTransportOptions {
  /** How long a call waits that says nothing else, in milliseconds. Default: 5,000. */
  readonly timeoutMs?: number;
  /** What pauses, and the wait for a connection, are measured by. gRPC measures calls by itself. */
  readonly clock?: Clock;
  /** Numbers from [0, 1) that spread the attempts of many clients. */
  readonly random?: () => number;
}

/** A command on its way. */
interface Errand {
  readonly command: Command;
  readonly request: Buffer;
  readonly timeoutMs: number;
  /** On the clock. */
  readonly deadline: number;
  readonly onAbort: OnAbort;
}

/** An attempt that did not end with an answer. */
interface Failed {
  /** What gRPC said; undefined if there was no connection. */
  readonly error: ServiceError | undefined;
  /** What the bridge said. */
  readonly refusal: Refusal | undefined;
}

const NO_CONNECTION: Failed = { error: undefined, refusal: undefined };

export class GrpcTransport implements Transport {
  readonly address: string;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly #client: Client;
  readonly #connection: Connection;
  readonly #random: () => number;
  readonly #metadata = new Metadata();
  readonly #aborts = new AbortWatch();
  readonly #pending = new Set<Promise<unknown>>();
  #closed = false;

  /** Connects with the first call. */
  constructor(address: string, options: GrpcTransportOptions = {}) {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, clock = systemClock, random = Math.random } = options;
    this.address = checkAddress(address);
    this.timeoutMs = checkTimeout(timeoutMs);
    this.clock = clock;
    this.#random = random;
    this.#client = new Client(address, credentials.createInsecure(), CHANNEL_OPTIONS);
    this.#connection = new Connection(this.#client.getChannel(), clock);
    this.#metadata.set(DETAIL_BYTES_KEY, String(DETAIL_BYTES));
    this.#metadata.set(CLIENT_KEY, `typescript/${VERSION}`);
  }

  async call<C extends Command>(
    command: C,
    { timeoutMs = this.timeoutMs, signal }: CallOptions = {},
  ): Promise<ReplyTo<C["kind"]>> {
    checkTimeout(timeoutMs);
    signal?.throwIfAborted();
    if (this.#closed) throw errorFor("CLOSED", `the client of ${this.address} was closed`);
    const request = encodeRequest(command);
    const deadline = this.clock.now() + timeoutMs;
    const answer = this.#run({ command, request, timeoutMs, deadline, onAbort: this.#aborts.of(signal) });
    this.#pending.add(answer);
    try {
      return this.#decode<C>(command, await answer);
    } finally {
      this.#pending.delete(answer);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Each of them has its own deadline, so this ends.
    await Promise.allSettled(this.#pending);
    this.#client.close();
  }

  /** Makes attempt after attempt until one is answered or the outcome is decided. */
  async #run(errand: Errand): Promise<Buffer> {
    const write = isWrite(errand.command.kind);
    for (let attempt = 1, lostBefore = false; ; attempt++, lostBefore = write) {
      const result = await this.#attempt(errand);
      if (Buffer.isBuffer(result)) return result;
      const timeLeftMs = errand.deadline - this.clock.now();
      const status = result.error?.code;
      const reason = result.refusal?.reason;
      const failure = { isWrite: write, attempt, timeLeftMs, status, reason, lostBefore };
      const verdict = afterFailure(failure, this.#random());
      if (verdict.kind !== "retry") throw this.#error(verdict, errand, result);
      await pause(verdict.afterMs, this.clock, errand.onAbort);
    }
  }

  async #attempt(errand: Errand): Promise<Buffer | Failed> {
    if (!(await this.#connection.isReady(errand.deadline, errand.onAbort))) return NO_CONNECTION;
    const timeLeftMs = errand.deadline - this.clock.now();
    return timeLeftMs > 0 ? this.#handOver(errand, timeLeftMs) : NO_CONNECTION;
  }

  /** From here on a write may be carried out. */
  #handOver({ command, request, onAbort }: Errand, timeLeftMs: number): Promise<Buffer | Failed> {
    return new Promise((resolve, reject) => {
      const call = this.#client.makeUnaryRequest<Buffer, Buffer>(
        pathOf(command.kind),
        asItIs,
        asItIs,
        request,
        this.#metadata,
        // gRPC wants a point on the wall clock and turns it into a duration at once.
        { deadline: Date.now() + timeLeftMs },
        (error, response) => {
          stopListening();
          resolve(response ?? { error: error ?? undefined, refusal: error ? refusalIn(error) : undefined });
        },
      );
      const stopListening = onAbort((reason) => {
        reject(reason);
        call.cancel();
      });
    });
  }

  #decode<C extends Command>(command: C, bytes: Uint8Array): ReplyTo<C["kind"]> {
    try {
      return decodeReply<C["kind"]>(command.kind, bytes);
    } catch (cause) {
      if (!isWrite(command.kind)) throw cause;
      const text = `the bridge at ${this.address} carried the write out, but its answer makes no sense`;
      throw errorFor("OUTCOME_UNKNOWN", text, { ...where(command), cause });
    }
  }

  #error({ kind }: Verdict, { command, timeoutMs }: Errand, { error, refusal }: Failed): BridgeError {
    const details = { ...where(command), ...(error === undefined ? {} : { cause: error }) };
    const told = error === undefined ? "" : ` (${error.details})`;
    const failure = (reason: ErrorReason, text: string): BridgeError => errorFor(reason, text, details);
    switch (kind) {
      case "unavailable":
        return error === undefined
          ? failure(
              "UNAVAILABLE",
              `no bridge answers at ${this.address}; nothing was done. ` +
                "Is the address right? `npx snakepit-bridge serve` starts a bridge at 127.0.0.1:50051",
            )
          : failure("UNAVAILABLE", `the bridge at ${this.address} is gone${told}`);
      case "deadline":
        return failure(
          "DEADLINE_EXCEEDED",
          `the bridge at ${this.address} did not answer within ${timeoutMs} ms`,
        );
      case "unknown":
        return failure(
          "OUTCOME_UNKNOWN",
          `the bridge at ${this.address} did not answer the write, which may have been carried out${told}; ` +
            "read what became of it",
        );
      default:
        return refusal === undefined
          ? transportError(
              { code: error?.code ?? 0, message: `${error?.details} (from ${this.address})` },
              error,
            )
          : errorFrom(refusal);
    }
  }
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

/** What a bridge says about why it did not answer. */
function refusalIn({ metadata }: ServiceError): Refusal | undefined {
  const [details] = metadata.get("grpc-status-details-bin");
  return Buffer.isBuffer(details) ? refusalFromDetails(details) : undefined;
}

/** Which session a command is about. */
function where(command: Command): { readonly sessionId?: string } {
  return "sessionId" in command ? { sessionId: command.sessionId } : {};
}
