/** A watch as a stream of its own, as any client of gRPC has it. For tests of the door only. */
import { Client, type ClientReadableStream, credentials, Metadata, type StatusObject } from "@grpc/grpc-js";
import { Refusal } from "../../core/refusal.js";
import type { Told, Watch } from "../../core/watch.js";
import { stepOf } from "../../testing/watch-forms.contract.js";
import { noteWatch } from "../../testing/watch-witness.contract.js";
import { toldFromBytes, watchBytes, watchFromBytes } from "../../wire/channel.js";
import { refusalFromDetails } from "../../wire/status.js";
import { WATCH } from "../../wire/watch-codecs.js";

export class RawWatch {
  readonly told: Told[] = [];
  readonly ended: Promise<{ code: number; refusal: Refusal | undefined }>;
  readonly stream: ClientReadableStream<Buffer>;
  readonly #client: Client;
  readonly #waiting = new Set<() => void>();

  constructor(address: string, asked: Partial<Watch> | Uint8Array) {
    this.#client = new Client(address, credentials.createInsecure(), { "grpc.use_local_subchannel_pool": 1 });
    const bytes =
      asked instanceof Uint8Array
        ? asked
        : watchBytes({ sessionId: "s", names: [], passive: false, ...asked });
    const watch = watchFromBytes(bytes);
    // What makes no sense is told nothing.
    const witnessed = watch instanceof Refusal ? undefined : noteWatch(watch);
    const asIs = (buffer: Buffer): Buffer => buffer;
    this.stream = this.#client.makeServerStreamRequest(
      WATCH.path,
      asIs,
      asIs,
      Buffer.from(bytes),
      new Metadata(),
    );
    this.stream.on("error", () => {});
    this.stream.on("data", (message: Buffer) => {
      const told = toldFromBytes(message);
      this.told.push(told);
      witnessed?.step(stepOf(told));
      for (const look of this.#waiting) look();
    });
    this.ended = new Promise((resolve) => {
      this.stream.on("status", ({ code, metadata }: StatusObject) => {
        const [content] = metadata.get("grpc-status-details-bin");
        resolve({ code, refusal: Buffer.isBuffer(content) ? refusalFromDetails(content) : undefined });
      });
    });
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (holds()) resolve();
      };
      this.#waiting.add(look);
      look();
    });
  }

  close(): void {
    this.stream.cancel();
    this.#client.close();
  }
}
