import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { type ClientReadableStream, status } from "@grpc/grpc-js";
import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { Refusal } from "../../core/refusal.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { decode, encode } from "../../wire/bytes.js";
import {
  HealthCheckRequestSchema,
  HealthCheckResponseSchema,
  Health as HealthService,
  HealthCheckResponse_ServingStatus as Serving,
} from "../../wire/gen/grpc/health/v1/health_pb.js";
import { type Doors, openDoors } from "../doors.js";
import { noWatch } from "./raw-channel.contract.js";
import { pathOf, RawClient } from "./raw-client.contract.js";

const { check } = HealthService.method;
const SERVICES = ["SessionService", "VariableService", "ChannelService"];
const KNOWN = ["", ...SERVICES.map((name) => `snakepit.bridge.v1.${name}`)];

let door: Doors;
let client: RawClient;

beforeEach(async () => {
  door = await openDoors({
    engine: {
      dispatch: () => Promise.reject(new Error("nobody asks")),
      watch: noWatch,
      follow: noWatch,
      limits: DEFAULT_LIMITS,
    },
    clock: new ManualClock(),
    logger: pino({ level: "silent" }),
    host: "127.0.0.1",
    allowOrigins: [],
    version: "1.2.3",
    port: 0,
  });
  client = new RawClient(door.address);
});

afterEach(async () => {
  client.close();
  await door.close(0);
});

function watch(service: string): ClientReadableStream<Buffer> {
  const request = encode(HealthCheckRequestSchema, create(HealthCheckRequestSchema, { service }));
  return client.stream(pathOf(HealthService, "Watch"), request);
}

async function next(stream: ClientReadableStream<Buffer>): Promise<Serving> {
  const [bytes] = await once(stream, "data");
  const response = decode(HealthCheckResponseSchema, bytes);
  if (response instanceof Refusal) throw new Error(response.message);
  return response.status;
}

describe("Check", () => {
  test.each(KNOWN)("%j is served", async (service) => {
    expect(await client.ok(check, { service })).toMatchObject({ status: Serving.SERVING });
  });

  test("a service that is not ours is NOT_FOUND", async () => {
    expect(await client.refused(check, { service: "other" })).toMatchObject({ code: status.NOT_FOUND });
    // Not at length, which no trailer could carry [VAL-2].
    const long = await client.refused(check, { service: "x".repeat(200_000) });
    expect(long).toMatchObject({
      code: status.NOT_FOUND,
      message: `unknown service "${"x".repeat(64)}…"`,
    });
  });

  test("bytes that are no request are INVALID_ARGUMENT", async () => {
    const outcome = await client.send(pathOf(HealthService, "Check"), Uint8Array.of(0xff));
    expect(outcome).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});

describe("Watch", () => {
  test.each(KNOWN)("of %j tells the state now, and once more when the door closes", async (service) => {
    const stream = watch(service);
    expect(await next(stream)).toBe(Serving.SERVING);
    const last = next(stream);
    const ended = once(stream, "status");
    await door.close(60_000);
    expect(await last).toBe(Serving.NOT_SERVING);
    expect(await ended).toMatchObject([{ code: status.OK }]);
  });

  test("of a service that is not ours stays open", async () => {
    const stream = watch("other");
    expect(await next(stream)).toBe(Serving.SERVICE_UNKNOWN);
    const ended = once(stream, "status");
    await door.close(60_000);
    expect(await ended).toMatchObject([{ code: status.OK }]);
  });

  test("that its caller ended does not hold the door open", async () => {
    const stream = watch("");
    await next(stream);
    stream.on("error", () => {});
    stream.cancel();
    await door.close(60_000);
  });

  test("of bytes that are no request is INVALID_ARGUMENT", async () => {
    const stream = client.stream(pathOf(HealthService, "Watch"), Uint8Array.of(0xff));
    const [error] = await once(stream, "error");
    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
  });
});
