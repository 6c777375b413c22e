/**
 * What a set costs that is on disk before it is answered, beside Redis and etcd as they are set up for the same promise;
 * and beside the same bridge in memory, which shows what durability costs.
 */
import type { Case, Floor, Row } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { measureLoad } from "../harness/load.js";
import { durableRedis, etcd } from "../harness/peers.js";
import type { Server } from "../harness/stage.js";
import { bridgeOnDisk, CALLERS, preparedBridge } from "./unary.js";

const REDIS = "Redis, appendfsync always";
const ETCD = "etcd";

/** What is asked of so many callers. */
const FLOORS: Readonly<Record<number, readonly Floor[]>> = {
  1: [{ metric: "callsPerSecond", beside: REDIS, floor: 0.5, goal: 0.9 }],
  64: [
    { metric: "callsPerSecond", beside: REDIS, floor: 0.5, goal: 1.1 },
    { metric: "callsPerSecond", beside: ETCD, floor: 5, goal: 10 },
  ],
};

interface Subject extends Pick<Case, "subject" | "beside"> {
  readonly server: Server;
  readonly program: Child;
  readonly ours: boolean;
}

export const durable: Row = {
  name: "durable",
  async prepare(stage) {
    const bridge = await bridgeOnDisk(stage);
    const peers = { redis: await durableRedis(stage), etcd: await etcd(stage) };
    const inMemory = await preparedBridge(stage);
    const grpc = await stage.program("grpc-callers.ts");
    const client = await stage.program("client-callers.ts");
    const subjects: readonly Subject[] = [
      { subject: "bridge", beside: REDIS, server: bridge, program: grpc, ours: true },
      { subject: "bridge, TypeScript client", beside: REDIS, server: bridge, program: client, ours: true },
      { subject: "bridge in memory", beside: REDIS, server: inMemory, program: grpc, ours: false },
      {
        subject: REDIS,
        server: peers.redis,
        program: await stage.program("redis-callers.ts"),
        ours: false,
      },
      {
        subject: ETCD,
        beside: REDIS,
        server: peers.etcd,
        program: await stage.program("etcd-callers.ts"),
        ours: false,
      },
    ];
    return CALLERS.flatMap((callers) =>
      subjects.map(({ server, program, ours, ...subject }) => ({
        work: "durable set",
        callers,
        ...subject,
        ...(ours ? { floors: FLOORS[callers] ?? [] } : {}),
        measure: (milliseconds: number) =>
          measureLoad(program, server.child.pid, {
            work: "set",
            callers,
            milliseconds,
            address: server.address,
            valueBytes: bridge.variableBytes,
          }),
      })),
    );
  },
};
