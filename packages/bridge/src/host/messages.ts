/** What a worker tells its host: JSON messages, one per line, on a pipe of their own (`snakepit_bridge.worker`). */

export type WorkerMessage =
  /** The program was found, and begins now. */
  | {
      readonly kind: "running";
      readonly pid: number;
      /** The version of the Python package. */
      readonly version: string;
    }
  /** It says that it is ready, and may have promised to say every so often that it is alive. */
  | {
      readonly kind: "ready";
      readonly address: string | undefined;
      readonly aliveWithinMs: number | undefined;
    }
  | { readonly kind: "alive" };

/** The message in a line; undefined for what is none, which a newer Python package may send. */
export function parseMessage(line: string): WorkerMessage | undefined {
  const fields = parseObject(line);
  switch (fields?.["kind"]) {
    case "running": {
      const { pid, version } = fields;
      if (!Number.isSafeInteger(pid) || Number(pid) <= 1) return undefined;
      return {
        kind: "running",
        pid: Number(pid),
        version: typeof version === "string" ? version : "unknown",
      };
    }
    case "ready": {
      const { address, aliveWithinMs: within } = fields;
      return {
        kind: "ready",
        address: typeof address === "string" ? address : undefined,
        aliveWithinMs: typeof within === "number" && within > 0 ? within : undefined,
      };
    }
    case "alive":
      return { kind: "alive" };
    default:
      return undefined;
  }
}

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
