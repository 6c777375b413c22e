/** What is told over HTTP of a bug in the bridge, and what the log has of it. */
import { pino } from "pino";
import { afterEach, expect, test } from "vitest";
import { DEFAULT_LIMITS } from "../../core/limits.js";
import { ManualClock } from "../../testing/manual-clock.js";
import { enveloped } from "../../wire/connect.js";
import { openDoors } from "../doors.js";
import { noWatch } from "../grpc/raw-channel.contract.js";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

class BrokenClock extends ManualClock {
  override now(): number {
    throw new Error("secret detail");
  }
}

test.each([
  ["SessionService/Ping", "ping", "application/json", 500, "INTERNAL"],
  ["VariableService/SetVariable", "setVariable", "application/json", 409, "OUTCOME_UNKNOWN"],
  ["VariableService/Watch", "watch", "application/connect+json", 500, "INTERNAL"],
])(
  "one in %s is told as an id, and only the log has the rest",
  async (rpc, command, type, status, reason) => {
    const lines: string[] = [];
    const doors = await openDoors({
      engine: { dispatch: noWatch, watch: noWatch, follow: noWatch, limits: DEFAULT_LIMITS },
      clock: new BrokenClock(),
      logger: pino({ level: "error" }, { write: (line) => void lines.push(line) }),
      host: "127.0.0.1",
      allowOrigins: [],
      version: "1.2.3",
      port: 0,
    });
    stops.push(() => doors.close(0));
    const answer = await fetch(`http://${doors.address}/snakepit.bridge.v1.${rpc}`, {
      method: "POST",
      headers: { "content-type": type, "connect-timeout-ms": "1000" },
      body: type === "application/json" ? "{}" : enveloped(0, Buffer.from("{}")),
    });
    const told = await answer.text();
    expect(answer.status).toBe(status);
    expect(JSON.parse(told)).toMatchObject({ details: [{ debug: { reason: `ERROR_REASON_${reason}` } }] });
    const [line, ...others] = lines.map((text) => JSON.parse(text));
    expect(others).toEqual([]);
    expect(line).toMatchObject({ command, err: { message: "secret detail" } });
    expect(told).toContain(line.id);
    expect(told).not.toContain("secret");
  },
);
