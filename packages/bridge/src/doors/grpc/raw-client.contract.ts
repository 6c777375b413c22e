/** A gRPC client that knows nothing: it sends bytes and shows what comes back. For tests of the door only. */
import type { DescMethodUnary, DescService, MessageInitShape, MessageShape } from "@bufbuild/protobuf";
import { create } from "@bufbuild/protobuf";
import {
  type CallOptions,
  type ChannelOptions,
  Client,
  type ClientReadableStream,
  type ClientUnaryCall,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import { Refusal } from "../../core/refusal.js";
import { decode, encode } from "../../wire/bytes.js";
import { refusalFromDetails } from "../../wire/status.js";

/** What came back. */
export interface Outcome {
  readonly code: status;
  readonly message: string;
  /** The response, if the call went well. */
  readonly bytes: Buffer | undefined;
  /** The refusal in the trailers, if there is one. */
  readonly refusal: Refusal | undefined;
  /** The size of the trailer that carries it. */
  readonly detailBytes: number;
}

interface RawOptions extends CallOptions {
  readonly metadata?: Metadata;
  /** Gets the call as soon as it is on its way. */
  readonly onCall?: (call: ClientUnaryCall) => void;
}

export class RawClient {
  readonly #client: Client;

  constructor(address: string, options: ChannelOptions = {}) {
    this.#client = new Client(address, credentials.createInsecure(), {
      "grpc.use_local_subchannel_pool": 1,
      ...options,
    });
  }

  /** Sends bytes to a path. */
  send(path: string, bytes: Uint8Array, options: RawOptions = {}): Promise<Outcome> {
    const { metadata = new Metadata(), onCall, ...rest } = options;
    return new Promise((resolve) => {
      const done = (error: ServiceError | null, response?: Buffer): void => {
        const details = error?.metadata?.get("grpc-status-details-bin")[0] as Buffer | undefined;
        resolve({
          code: error?.code ?? status.OK,
          message: error?.details ?? "",
          bytes: response,
          refusal: details && refusalFromDetails(details),
          detailBytes: details?.length ?? 0,
        });
      };
      const call = this.#client.makeUnaryRequest(path, asIs, asIs, Buffer.from(bytes), metadata, rest, done);
      onCall?.(call);
    });
  }

  /** Sends a message, and shows the response or the outcome that is none. */
  async call<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options?: RawOptions,
  ): Promise<MessageShape<M["output"]> | Outcome> {
    const bytes = encode(method.input, create(method.input, request) as never);
    const outcome = await this.send(pathOf(method.parent, method.name), bytes, options);
    if (outcome.bytes === undefined) return outcome;
    const response = decode<M["output"]>(method.output, outcome.bytes);
    if (response instanceof Refusal) throw new Error(response.message);
    return response;
  }

  /** The same where the call has to go well. */
  async ok<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options?: RawOptions,
  ): Promise<MessageShape<M["output"]>> {
    const response = await this.call(method, request, options);
    if ("detailBytes" in response) throw new Error(`${response.code}: ${response.message}`);
    return response;
  }

  /** The same where it has to be refused. */
  async refused<M extends DescMethodUnary>(
    method: M,
    request: MessageInitShape<M["input"]>,
    options?: RawOptions,
  ): Promise<Outcome> {
    const outcome = await this.call(method, request, options);
    if ("detailBytes" in outcome) return outcome;
    throw new Error(`${method.name} went well`);
  }

  /** Opens a stream of responses. */
  stream(path: string, bytes: Uint8Array): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest(path, asIs, asIs, Buffer.from(bytes));
  }

  close(): void {
    this.#client.close();
  }
}

/** The path of a method. */
export function pathOf(service: DescService, name: string): string {
  return `/${service.typeName}/${name}`;
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}
