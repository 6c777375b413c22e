/** What the engine itself costs, without any wire: the part of a call that no faster transport can save. */
import type { Row } from "../harness/case.js";
import { measureLoad } from "../harness/load.js";

const WORKS = { get: "dispatch get", set: "dispatch set", record: "make a record" };

export const engine: Row = {
  name: "engine",
  async prepare(stage) {
    const program = await stage.program("engine-loop.ts");
    return Object.entries(WORKS).map(([work, words]) => ({
      work: words,
      callers: 1,
      subject: "engine in process",
      measure: (milliseconds) => measureLoad(program, program.pid, { work, callers: 1, milliseconds }),
    }));
  },
};
