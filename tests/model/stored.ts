/** What a store has kept of a session, held against the model: the fold of its commits, and the chain they make (ORD-4). */
import type { RequestId } from "../../packages/bridge/src/core/commands.js";
import { SessionState } from "../../packages/bridge/src/core/session/state.js";
import { ANYONE } from "../../packages/bridge/src/engine/principal.js";
import { type CommitRecord, fromRecord } from "../../packages/bridge/src/storage/record.js";
import type { Store } from "../../packages/bridge/src/storage/store.js";
import { CLIENT_IDS } from "./arbitraries.js";
import { Difference, equal, plainModelVariable, plainVariable, type Revisions } from "./compare.js";
import { clientOf } from "./model.js";
import { COMMON_NAMES } from "./pools.js";
import { at, type ModelSession } from "./state.js";

export async function compareStored(
  store: Store,
  session: ModelSession,
  revisions: Revisions,
): Promise<void> {
  const stored = await store.load(session.id);
  if (stored === undefined) throw new Difference(`the store has lost ${session.id}`);
  compareState(session, stored.state);
  revisions.expect(at(session), {
    incarnation: stored.state.incarnation,
    number: stored.state.revision,
    check: stored.check,
  });
  const records = await store.commitsAfter(session.id, 0);
  if (records === "compacted") {
    if (session.revision <= 1_000) throw new Difference(`${session.revision} commits were compacted already`);
    return;
  }
  equal(
    "revisions in the store",
    Array.from({ length: session.revision }, (_, i) => i + 1),
    records.map(({ commit }) => commit.revision),
  );
  compareState(session, fold(records, revisions));
}

function fold(records: readonly CommitRecord[], revisions: Revisions): SessionState {
  let state: SessionState | undefined;
  let check = 0n;
  for (const record of records) {
    const read = fromRecord(record.bytes);
    equal("check of the commit before", check, read.previousCheck);
    equal("check of the record", record.check, read.check);
    const { incarnation, revision } = read.commit;
    const answered = revisions.checkOf({ incarnation, number: revision, check: 0n });
    if (answered !== undefined) equal(`check answered for revision ${revision}`, answered, read.check);
    check = read.check;
    if (state === undefined) state = SessionState.create(read.commit);
    else state.apply(read.commit);
  }
  return state as SessionState;
}

function compareState(session: ModelSession, state: SessionState): void {
  const plain = {
    id: state.id,
    revision: state.revision,
    ttlMs: state.ttlMs,
    metadata: [...state.metadata],
    createdAtMs: state.createdAtMs,
    names: state.nameCount,
    variables: [...state.variables.values()].map(plainVariable),
    versions: COMMON_NAMES.map((name) => state.lastVersion(name)),
    requests: knownRequests().map((id) => wordFor(state.findRequest(ANYONE.name, id))),
  };
  const { id, revision, ttlMs, metadata, createdAtMs, variables, tombstones } = session;
  const expected = {
    id,
    revision,
    ttlMs,
    metadata,
    createdAtMs,
    names: variables.size + tombstones.size,
    variables: [...state.variables.keys()]
      .flatMap((name) => variables.get(name) ?? [])
      .map(plainModelVariable),
    versions: COMMON_NAMES.map((name) => tombstones.get(name) ?? 0),
    requests: knownRequests().map((id) => requestIn(session, id)),
  };
  equal("number of variables in the store", variables.size, state.variables.size);
  equal("the state in the store", expected, plain);
}

function knownRequests(): RequestId[] {
  return CLIENT_IDS.flatMap((clientId) =>
    Array.from({ length: 13 }, (_, i) => ({ clientId, sequence: i + 1 })),
  );
}

function wordFor(found: number | string): string {
  return typeof found === "number" ? "known" : found;
}

function requestIn(session: ModelSession, id: RequestId): string {
  const client = clientOf(ANYONE.name, id);
  const { sequence } = id;
  if (session.remembered.some((r) => r.client === client && r.sequence === sequence)) return "known";
  return sequence <= (session.marks.get(client) ?? 0) ? "forgotten" : "new";
}
