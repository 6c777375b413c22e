/** All ways into a bridge from other processes, behind one port. */
import type { DoorContext } from "./answering.js";
import { ConnectDoor } from "./connect/door.js";
import type { GuardOptions } from "./connect/guard.js";
import type { Door } from "./door.js";
import { openGrpcDoor } from "./grpc/door.js";
import { Port } from "./port.js";

export interface DoorsOptions extends DoorContext, GuardOptions {
  /** 0: any that is free. */
  readonly port: number;
  /** The version of this package, for clients. */
  readonly version: string;
}

/** The doors of a bridge that listens. */
export interface Doors {
  /** The port that it listens on. */
  readonly port: number;
  /** `host:port`, as clients take it. */
  readonly address: string;
  /**
   * Takes no more calls, waits up to `graceMs` for those that run, and then cuts them off. They close once: told again, they
   * wait no longer than they were told before, and cut off earlier if they are told so.
   */
  close(graceMs: number): Promise<void>;
}

/** Opens all of them. Rejects with one clear sentence if the bridge cannot listen. */
export async function openDoors(options: DoorsOptions): Promise<Doors> {
  const { host, port: wanted, allowOrigins, version, ...context } = options;
  const grpc = openGrpcDoor(context, version);
  const connect = new ConnectDoor(context, { host, allowOrigins });
  const doors: readonly Door[] = [grpc, connect];
  const drain = () => Promise.all(doors.map((door) => door.drain()));
  const cutOff = () => {
    for (const door of doors) door.cutOff();
  };
  const port = await Port.open({
    host,
    port: wanted,
    grpc: (socket) => grpc.take(socket),
    http: (socket) => connect.take(socket),
  }).catch(async (error: unknown) => {
    const drained = drain();
    cutOff();
    await drained;
    throw error;
  });
  const { address } = port;
  context.logger.info({ address }, "listening");
  const close = async (): Promise<void> => {
    context.logger.info({ address }, "closing");
    port.stop();
    await drain();
    port.end();
  };
  let closing: Promise<void> | undefined;
  return {
    port: port.port,
    address,
    async close(graceMs) {
      closing ??= close();
      const timer = setTimeout(cutOff, graceMs);
      await closing;
      clearTimeout(timer);
    },
  };
}
