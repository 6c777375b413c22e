/**
 * What a client knows: every acknowledgement that it got, and the writes that were never answered. `check` compares it
 * with what a bridge shows after a crash.
 */
import type { Command, Revision } from "../../packages/bridge/src/core/commands.js";

/** Variables that are always written together, by one worker, one write after the other. */
export interface Content {
  /** False: the session does not exist. */
  readonly session: boolean;
  /** The one value of all of them; undefined: they do not exist. */
  readonly value: string | undefined;
  /** How often they were written since the session was created. */
  readonly version: number;
}

export const NOTHING: Content = { session: false, value: undefined, version: 0 };

/** A place that one worker writes. */
export interface Slot {
  readonly sessionId: string;
  readonly names: readonly string[];
  /** As acknowledged last. */
  content: Content;
}

/** A write, and what its slot becomes by it; an increment has no slot, as everybody increments the same counter. */
export interface Write {
  readonly command: Extract<Command, { sessionId: string }>;
  readonly slot: Slot | undefined;
  readonly becomes: Content;
}

/** What a bridge shows of a session. */
export interface View {
  readonly revision: Revision;
  readonly variables: ReadonlyMap<string, { readonly value: string; readonly version: number }>;
}

/** What went wrong; empty lists and zeros are right. */
export interface Findings {
  lost: number;
  halfVisible: number;
  readonly failures: string[];
}

export const COUNTER = "counter";

export class Journal {
  readonly slots: Slot[] = [];
  /** Writes that were sent and not answered. */
  readonly unanswered = new Set<Write>();
  /** Acknowledged increments of the counter of each session. */
  readonly increments = new Map<string, number>();
  readonly findings: Findings = { lost: 0, halfVisible: 0, failures: [] };
  acknowledged = 0;
  /** The last revision of each session that anybody was told. */
  readonly #known = new Map<string, Revision>();
  /** The revisions that were answered to writes, by incarnation. */
  readonly #answered = new Map<string, Set<number>>();

  fail(what: string): void {
    this.findings.failures.push(what);
  }

  /** Takes in an acknowledgement. `version` is what the answer says, if it says one. */
  acknowledge(write: Write, revision: Revision, version: number | undefined): void {
    const { command, slot, becomes } = write;
    const { sessionId, kind } = command;
    this.acknowledged += 1;
    this.unanswered.delete(write);
    if (slot === undefined) this.increments.set(sessionId, (this.increments.get(sessionId) ?? 0) + 1);
    else slot.content = becomes;
    if (slot !== undefined && version !== undefined && version !== becomes.version) {
      this.fail(`${kind} in ${sessionId}: answered version ${version}, it is write ${becomes.version}`);
    }
    const answered = this.#answered.get(revision.incarnation) ?? new Set();
    this.#answered.set(revision.incarnation, answered);
    if (answered.has(revision.number)) {
      this.fail(`${kind} in ${sessionId}: revision ${revision.number} was answered to two writes`);
    }
    answered.add(revision.number);
    if (kind === "deleteSession") this.#known.delete(sessionId);
    else this.#learn(sessionId, revision);
  }

  /** A session turned out to be deleted by a write whose answer nobody got. */
  settleDeleted(write: Write, slot: Slot): void {
    this.unanswered.delete(write);
    this.#known.delete(slot.sessionId);
    slot.content = write.becomes;
  }

  /** Takes in a session that was just made. */
  expect(sessionId: string, { revision }: View): void {
    this.#learn(sessionId, revision);
  }

  #learn(sessionId: string, revision: Revision): void {
    const known = this.#known.get(sessionId);
    const newer = known?.incarnation !== revision.incarnation || revision.number > known.number;
    if (newer) this.#known.set(sessionId, revision);
  }

  /** Compares all that is known with what a bridge shows. Unanswered writes may be there or not, but not in part. */
  check(views: ReadonlyMap<string, View>): void {
    for (const sessionId of new Set([...this.#known.keys(), ...views.keys()])) {
      this.#checkRevision(sessionId, views.get(sessionId));
    }
    const pending = new Map([...this.unanswered].map((write) => [write.slot, write]));
    for (const slot of this.slots) this.#checkSlot(slot, pending.get(slot), views.get(slot.sessionId));
    for (const [sessionId, acknowledged] of this.increments) {
      this.#checkCounter(sessionId, acknowledged, views.get(sessionId));
    }
  }

  /** True if a bridge shows the effect of an unanswered write; undefined if that cannot be seen. */
  shows({ slot, becomes }: Write, views: ReadonlyMap<string, View>): boolean | undefined {
    return slot === undefined ? undefined : holds(slot, becomes, views.get(slot.sessionId));
  }

  #checkRevision(sessionId: string, view: View | undefined): void {
    const known = this.#known.get(sessionId);
    const reborn = [...this.unanswered].some(({ command }) => {
      return command.sessionId === sessionId && /^(create|delete)Session$/.test(command.kind);
    });
    if (view === undefined) {
      if (!reborn) this.#lose(`session ${sessionId} is gone`);
      return;
    }
    const { revision } = view;
    if (known?.incarnation !== revision.incarnation) {
      if (!reborn) this.#lose(`session ${sessionId} is another one`);
    } else if (revision.number < known.number) {
      this.#lose(`session ${sessionId} is at revision ${revision.number}, ${known.number} was acknowledged`);
    } else if (revision.number === known.number && revision.check !== known.check) {
      this.fail(`session ${sessionId} has another history at revision ${revision.number}`);
    }
    this.#learn(sessionId, revision);
  }

  #checkSlot(slot: Slot, pending: Write | undefined, view: View | undefined): void {
    const { sessionId, names, content } = slot;
    const values = new Set(names.map((name) => view?.variables.get(name)?.value));
    if (values.size > 1) {
      this.findings.halfVisible += 1;
      this.fail(`${names} of ${sessionId} are a batch of which a part is there`);
    }
    if (holds(slot, content, view) || (pending && holds(slot, pending.becomes, view))) return;
    const found = names.map((name) => {
      const { value, version } = view?.variables.get(name) ?? {};
      return `${value?.slice(0, 20)} (version ${version})`;
    });
    this.#lose(
      `${names} of ${sessionId} are ${found}, ` +
        `acknowledged is ${content.value?.slice(0, 20)} (version ${content.version})` +
        (pending ? `, unanswered is a ${pending.command.kind}` : ""),
    );
  }

  #checkCounter(sessionId: string, acknowledged: number, view: View | undefined): void {
    const { value, version = 0 } = view?.variables.get(COUNTER) ?? {};
    const unanswered = [...this.unanswered].filter(
      ({ slot, command }) => slot === undefined && command.sessionId === sessionId,
    ).length;
    const counted = Number(value);
    const says = `the counter of ${sessionId} is ${value}, ${acknowledged} increments were acknowledged`;
    if (!(counted >= acknowledged)) this.#lose(says);
    else if (counted > acknowledged + unanswered) this.fail(`${says}, ${unanswered} not answered`);
    // Its first write made it 0.
    if (version !== counted + 1) this.fail(`${says}, but its version is ${version}`);
  }

  #lose(what: string): void {
    this.findings.lost += 1;
    this.fail(what);
  }
}

function holds({ names }: Slot, { session, value, version }: Content, view: View | undefined): boolean {
  if (!session) return view === undefined;
  if (view === undefined) return false;
  return names.every((name) => {
    const found = view.variables.get(name);
    return found?.value === value && (value === undefined || found?.version === version);
  });
}
