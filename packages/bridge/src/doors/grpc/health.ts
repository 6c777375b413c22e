/** The standard health service: what probes ask before they send traffic. One state for the server and its services. */
import {
  type Server,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import { quoteName } from "../../core/names.js";
import { Refusal } from "../../core/refusal.js";
import { HEALTH } from "../../wire/health.js";
import { methodAt } from "./methods.js";

type Asked = ReturnType<typeof HEALTH.request>;
type Watcher = ServerWritableStream<Asked, Uint8Array>;

export class Health {
  readonly #services: ReadonlySet<string>;
  readonly #watchers = new Set<Watcher>();
  #serving = true;

  /** `services` are their full names; the empty name is the server as a whole. */
  constructor(services: Iterable<string>) {
    this.#services = new Set(["", ...services]);
  }

  addTo(server: Server): void {
    const definition = {
      check: methodAt(HEALTH.checkPath, HEALTH.request),
      watch: methodAt(HEALTH.watchPath, HEALTH.request, { responseStream: true }),
    };
    server.addService(definition, {
      check: (call: ServerUnaryCall<Asked, Uint8Array>, answer: sendUnaryData<Uint8Array>) =>
        this.#check(call.request, answer),
      watch: (call: Watcher) => this.#watch(call),
    });
  }

  /** Tells everybody that the server takes no more requests, and ends the watches, which would outlive it. */
  drain(): void {
    this.#serving = false;
    for (const call of this.#watchers) {
      call.write(this.#response());
      call.end();
    }
    this.#watchers.clear();
  }

  #check(request: Asked, answer: sendUnaryData<Uint8Array>): void {
    if (request instanceof Refusal) {
      answer({ code: status.INVALID_ARGUMENT, details: request.message });
    } else if (!this.#services.has(request.service)) {
      answer({ code: status.NOT_FOUND, details: `unknown service ${quoteName(request.service)}` });
    } else {
      answer(null, this.#response());
    }
  }

  #watch(call: Watcher): void {
    const { request } = call;
    if (request instanceof Refusal) {
      // This is how a stream of grpc-js ends with a status.
      call.emit("error", { code: status.INVALID_ARGUMENT, details: request.message });
      return;
    }
    // By the protocol a watch of an unknown service stays open, since the service might come.
    call.write(this.#services.has(request.service) ? this.#response() : HEALTH.response("SERVICE_UNKNOWN"));
    if (!this.#serving) {
      call.end();
      return;
    }
    this.#watchers.add(call);
    call.once("cancelled", () => this.#watchers.delete(call));
    call.once("close", () => this.#watchers.delete(call));
  }

  #response(): Uint8Array {
    return HEALTH.response(this.#serving ? "SERVING" : "NOT_SERVING");
  }
}
