/**
 * The services of the contract as doors and transports need them: names, paths, and bytes to commands and replies to
 * bytes. A unary RPC that is added to the contract is here, without a line of code.
 */
import type { DescMethod, DescService } from "@bufbuild/protobuf";
import type { Command, CommandKind, Reply } from "../core/commands.js";
import { Refusal } from "../core/refusal.js";
import { decode, encode } from "./bytes.js";
import { commandFromRequest } from "./commands.js";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  Health as HealthService,
} from "./gen/grpc/health/v1/health_pb.js";
import { SessionService } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import { VariableService } from "./gen/snakepit/bridge/v1/variables_pb.js";
import { responseFor } from "./replies.js";

/** One unary RPC. */
export interface Rpc {
  /** As the contract has it: `GetVariable`. */
  readonly name: string;
  /** The path of its requests over HTTP/2. */
  readonly path: string;
  /** The kind of its commands and replies. */
  readonly kind: CommandKind;
  /** The command in the bytes of a request, or why there is none. */
  command(bytes: Uint8Array): Command | Refusal;
  /** The bytes of the response. */
  response(reply: Reply): Uint8Array;
}

export interface Service {
  /** The full name. */
  readonly name: string;
  readonly rpcs: readonly Rpc[];
}

/** What a bridge serves. */
export const SERVICES: readonly Service[] = [SessionService, VariableService].map(serviceOf);

function serviceOf(service: DescService): Service {
  const unary = service.methods.filter(({ methodKind }) => methodKind === "unary");
  return { name: service.typeName, rpcs: unary.map(rpcOf) };
}

function rpcOf(method: DescMethod): Rpc {
  const { name, input, output } = method;
  // The arm of a command has the name of its RPC.
  const kind = method.localName as CommandKind;
  return {
    name,
    path: pathOf(method),
    kind,
    command(bytes) {
      const request = decode(input, bytes);
      return request instanceof Refusal ? request : commandFromRequest(kind, request as never);
    },
    response: (reply) => encode(output, responseFor(kind, reply as never)),
  };
}

function pathOf({ parent, name }: DescMethod): string {
  return `/${parent.typeName}/${name}`;
}

/** Whether a service takes requests. */
export type Serving = Exclude<keyof typeof HealthCheckResponse_ServingStatus, "UNKNOWN">;

/** The standard health service. */
export const HEALTH = {
  checkPath: pathOf(HealthService.method.check),
  watchPath: pathOf(HealthService.method.watch),

  /** The name of the service that is asked about, or why there is none. */
  request(bytes: Uint8Array): Pick<HealthCheckRequest, "service"> | Refusal {
    return decode(HealthCheckRequestSchema, bytes);
  },

  response(serving: Serving): Uint8Array {
    return encode(HealthCheckResponseSchema, {
      $typeName: "grpc.health.v1.HealthCheckResponse",
      status: HealthCheckResponse_ServingStatus[serving],
    });
  },
} as const;
