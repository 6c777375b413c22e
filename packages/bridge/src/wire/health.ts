/** The messages of the standard health service. */
import type { Refusal } from "../core/refusal.js";
import { decode, encode } from "./bytes.js";
import {
  type HealthCheckRequest,
  HealthCheckRequestSchema,
  HealthCheckResponse_ServingStatus,
  HealthCheckResponseSchema,
  Health as HealthService,
} from "./gen/grpc/health/v1/health_pb.js";
import { pathOf } from "./paths.js";

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
