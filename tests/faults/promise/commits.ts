/** A commit of the run, in the form in which what programs told is held against it. */
import { toText } from "../../../packages/bridge/src/client/points.js";
import { madeOf } from "../../../packages/bridge/src/testing/watch-forms.contract.js";
import type { Made } from "../../../packages/bridge/src/testing/watch-validators.contract.js";
import { type Kept, keptAfter, keptFrom } from "../../crash/kept-commits.js";

export interface RunCommit extends Made {
  /** Of which write it is, by its metadata; undefined: of none that a program made. */
  readonly op: string | undefined;
  /** The request id of the write, as a text. */
  readonly request: string | undefined;
}

export function commitOf(kept: Kept): RunCommit {
  const made = madeOf(kept);
  const { requestId } = kept.commit;
  const request = requestId && `${requestId.clientId} ${requestId.sequence}`;
  return { ...made, op: made.metadata.get("op"), request };
}

/** All commits of a session, gathered while the bridge still keeps them. */
export class RunCommits {
  readonly all: RunCommit[] = [];
  readonly #file: string;
  readonly #sessionId: string;
  #gathering: Promise<void> = Promise.resolve();

  constructor(file: string, sessionId: string) {
    this.#file = file;
    this.#sessionId = sessionId;
  }

  /** Takes what was committed since; the bridge has to run. Throws if some of it is no longer kept. */
  gather(): Promise<void> {
    const gathered = this.#gathering.then(async () => {
      const known = this.all.at(-1)?.revision ?? 0;
      this.all.push(...(await keptAfter(this.#file, this.#sessionId, known)).map(commitOf));
    });
    this.#gathering = gathered.catch(() => {});
    return gathered;
  }

  /** Whether those after a revision are still all kept. */
  async isKeptAfter(revision: number): Promise<boolean> {
    return (await keptFrom(this.#file, this.#sessionId, revision)) !== undefined;
  }

  /** The point that the last commit leads to. */
  get end(): string {
    return this.all.at(-1)?.point ?? toText({ incarnation: "", number: 0, check: 0n });
  }
}
