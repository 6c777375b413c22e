/** Faults that a test of histories has to find: each is put into what a bridge tells, or a client believes. */
import type { Replica } from "../../packages/bridge/src/client/replica.js";
import type { Reply, Revision } from "../../packages/bridge/src/core/commands.js";
import type { StateUpdate } from "../../packages/bridge/src/core/state-update.js";
import type { CommitRecord } from "../../packages/bridge/src/storage/record.js";
import type { Tampering } from "./link.js";

export const FAULTS: Readonly<Record<string, () => Tampering>> = {
  "a torn commit": () => ({
    update: (update, tell) => tell({ ...update, changed: update.changed.slice(0, 1) }),
  }),

  "a reply into a READY replica": () => {
    const replicas: Replica[] = [];
    return {
      replicas,
      reply: (reply: Reply) => {
        if (reply.kind !== "getVariable") return;
        for (const replica of replicas) {
          const { revision } = replica;
          if (replica.state !== "READY" || revision === undefined) continue;
          const { name, id, version, type, value } = reply.variable;
          const changed = [{ name, id, version, type, value }];
          replica.take({ base: revision, revision, changed, deleted: [], more: false }, 0);
        }
      },
    };
  },

  "a missed event": () => {
    let missed: Revision | undefined;
    let count = 0;
    return {
      update: (update: StateUpdate, tell: (update: StateUpdate) => void) => {
        const { base } = update;
        if (base === undefined) missed = undefined;
        else if (update.changed.length > 0 && ++count % 5 === 0) {
          missed ??= base;
          return;
        }
        tell(missed === undefined ? update : { ...update, base: missed });
        missed = undefined;
      },
    };
  },

  "a resume that is off by one": () => ({
    after: (after, records) => pointOf(records, after.incarnation, after.number + 1) ?? after,
  }),

  "a stale incarnation": () => ({
    after: (after, records) => {
      const incarnation = records.at(-1)?.commit.incarnation;
      return pointOf(records, incarnation, after.number) ?? after;
    },
  }),
};

function pointOf(
  records: readonly CommitRecord[],
  incarnation: string | undefined,
  number: number,
): Revision | undefined {
  const record = records.find(
    ({ commit }) => commit.incarnation === incarnation && commit.revision === number,
  );
  return record && { incarnation: record.commit.incarnation, number, check: record.check };
}
