/** What a follower of a session's state asks for, and is told (ORD-6): not what happened, but what is. */
import type { Revision } from "./commands.js";
import type { Stored } from "./literal.js";
import type { TypeName } from "./values/types.js";

export interface Follow {
  readonly sessionId: string;
  /** Where the follower stands already. Absent: it has nothing. */
  readonly after?: Revision;
  /** True: it does not count as use of the session (ORD-12). */
  readonly passive: boolean;
}

/** A step from one revision to another, or a part of one. */
export interface StateUpdate {
  /** Where the follower has to stand. Absent: this is the whole session, and takes the place of all that was there. */
  readonly base?: Revision;
  /** Where it stands then. Number 0: there is no session. The same as `base`: nothing has changed. */
  readonly revision: Revision;
  readonly changed: readonly StateEntry[];
  /** The names of variables that were deleted. */
  readonly deleted: readonly string[];
  /** True: the rest follows, and all of it takes effect with the last. */
  readonly more: boolean;
}

/** A variable as a follower has it. */
export interface StateEntry {
  readonly name: string;
  readonly id: string;
  readonly version: number;
  readonly type: TypeName;
  /** Absent: it is too long to be told, and has to be read (ORD-7). */
  readonly value?: Stored;
}
