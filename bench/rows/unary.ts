/**
 * What a unary get and set cost beside a bare grpc-js echo of the same messages: the bridge's own share of a call.
 * The echo is measured twice; how far its two figures are apart is how far the other ratios may be off.
 */
import { join } from "node:path";
import { type Case, type Floor, NotHere, type Row } from "../harness/case.js";
import { isInMemory } from "../harness/in-memory.js";
import { measureLoad } from "../harness/load.js";
import type { Server, Stage } from "../harness/stage.js";
import type { Prepared } from "../programs/unary-calls.js";

export const CALLERS = [1, 16, 64];
export const ECHO = "bare grpc-js echo";

const floors: readonly Floor[] = [
  { metric: "cpuUs", floor: 1.3, goal: 1.1 },
  { metric: "p50Us", floor: 1.3, goal: 1.1 },
];

/** The one bridge on a store, with the measured variable in it. */
export function preparedBridge(stage: Stage, store = "memory"): Promise<Server & Prepared> {
  return stage.once(`bridge on ${store}`, async () => {
    const bridge = await stage.bridge(`bridge-${store.split(":", 1)[0]}`, store);
    const callers = await stage.program("grpc-callers.ts");
    return { ...bridge, ...(await callers.ask<Prepared>({ work: "prepare", address: bridge.address })) };
  });
}

/** The one bridge whose sets are on disk before they are answered or told. */
export function bridgeOnDisk(stage: Stage): Promise<Server & Prepared> {
  const folder = stage.folder("bridge");
  if (isInMemory(folder))
    throw new NotHere("the temporary folder is in memory; set TMPDIR to a folder on a disk");
  return preparedBridge(stage, `sqlite:${join(folder, "bridge.db")}`);
}

export const unary: Row = {
  name: "unary",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    const echo = (label: string) => stage.server("echo-server.ts", label, bridge.getAnswer, bridge.setAnswer);
    const callers = await stage.program("grpc-callers.ts");
    const subjects: readonly (Pick<Case, "subject" | "beside" | "floors"> & { server: Server })[] = [
      { subject: "bridge", beside: ECHO, floors, server: bridge },
      { subject: ECHO, server: await echo("echo") },
      { subject: "the echo again", beside: ECHO, server: await echo("echo again") },
    ];
    return ["get", "set"].flatMap((work) =>
      CALLERS.flatMap((count) =>
        subjects.map(({ server, ...subject }) => ({
          work: `unary ${work}`,
          callers: count,
          ...subject,
          measure: (milliseconds: number) =>
            measureLoad(callers, server.child.pid, {
              work,
              callers: count,
              milliseconds,
              address: server.address,
            }),
        })),
      ),
    );
  },
};
