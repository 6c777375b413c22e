/** The same unary get and set through our own clients, each read a call: what they add to a generic gRPC client. */
import type { Case, Row } from "../harness/case.js";
import type { Child } from "../harness/child.js";
import { measureLoad } from "../harness/load.js";
import type { Server } from "../harness/stage.js";
import { MAX, MIN, SESSION, VARIABLE } from "../programs/workload.js";
import { CALLERS, ECHO, preparedBridge } from "./unary.js";

/** What a program has to know that cannot import it. */
const workload = { session: SESSION, variable: VARIABLE, min: MIN, max: MAX };

function cases(subject: string, bridge: Server, program: Child): Case[] {
  return ["get", "set"].flatMap((work) =>
    CALLERS.map((callers) => ({
      work: `unary ${work}`,
      callers,
      subject,
      beside: ECHO,
      measure: (milliseconds: number) =>
        measureLoad(program, bridge.child.pid, {
          work,
          callers,
          milliseconds,
          address: bridge.address,
          ...workload,
        }),
    })),
  );
}

export const typescriptClient: Row = {
  name: "typescript",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    return cases("bridge, TypeScript client", bridge, await stage.program("client-callers.ts"));
  },
};

export const pythonClient: Row = {
  name: "python",
  async prepare(stage) {
    const bridge = await preparedBridge(stage);
    return cases("bridge, Python asyncio", bridge, await stage.pythonProgram("python_callers.py"));
  },
};
