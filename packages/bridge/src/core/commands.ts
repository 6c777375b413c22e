/**
 * Everything that can be asked of a bridge, and every answer (DOOR-2). Doors translate into these, `dispatch` carries
 * them out, clients send them: in process as they are, remotely as the messages of the same names in the contract.
 */
import type { HistoryEntry } from "./history.js";
import type { Literal } from "./literal.js";
import type { Metadata, MetadataPairs } from "./metadata.js";
import type { Refusal } from "./refusal.js";
import type { TypeName } from "./values/registry.js";
import type { Definition, Variable } from "./variable.js";

/** A point in the life of a session (ORD-4): only all three together identify a state. */
export interface Revision {
  /** 128 random bits in hex, new with each creation of the session. Empty: the session does not exist. */
  readonly incarnation: string;
  /** 1 with the creation, one more for each commit. */
  readonly number: number;
  /** 64 bits chained over all commit records. */
  readonly check: bigint;
}

/** Names one write for good, so that a retry is applied once (ORD-15). */
export interface RequestId {
  /** 128 random bits in hex, one per client. */
  readonly clientId: string;
  /** Rises with each write of that client, from 1. */
  readonly sequence: number;
}

/** What a write does when the session or the variable is missing (VAL-12). */
export type OnMissing = "fail" | "inferVariable" | "infer";

/** What every write may say about itself. */
interface Write {
  readonly requestId?: RequestId;
  /** The language of the writer; absent: `unknown`. */
  readonly source?: string;
}

/** One value to set. */
export interface SetItem {
  readonly identifier: string;
  readonly value: Literal;
  /** Compare and set (VAL-11). Absent: no check; 0: must not exist. */
  readonly expectedVersion?: number;
}

export interface Ping {
  readonly kind: "ping";
  readonly message: string;
}
export interface CreateSession extends Write {
  readonly kind: "createSession";
  readonly sessionId: string;
  /** The idle time after which it expires. Absent: the server's default; 0: never. */
  readonly ttlMs?: number;
  readonly metadata: MetadataPairs;
}
export interface GetSession {
  readonly kind: "getSession";
  readonly sessionId: string;
}
export interface ListSessions {
  readonly kind: "listSessions";
  readonly glob?: string;
  readonly pageSize: number;
  readonly pageToken: string;
}
export interface Heartbeat {
  readonly kind: "heartbeat";
  readonly sessionId: string;
}
export interface DeleteSession {
  readonly kind: "deleteSession";
  readonly sessionId: string;
  readonly source?: string;
}
export interface RegisterVariable extends Write {
  readonly kind: "registerVariable";
  readonly sessionId: string;
  readonly definition: Definition;
  readonly onMissing: OnMissing;
}
export interface EnsureVariables {
  readonly kind: "ensureVariables";
  readonly sessionId: string;
  readonly definitions: readonly Definition[];
  readonly source?: string;
}
export interface GetVariable {
  readonly kind: "getVariable";
  readonly sessionId: string;
  readonly identifier: string;
}
export interface GetVariables {
  readonly kind: "getVariables";
  readonly sessionId: string;
  readonly identifiers: readonly string[];
}
export interface SetVariable extends Write {
  readonly kind: "setVariable";
  readonly sessionId: string;
  readonly item: SetItem;
  readonly onMissing: OnMissing;
  readonly metadata: MetadataPairs;
}
export interface SetVariables extends Write {
  readonly kind: "setVariables";
  readonly sessionId: string;
  readonly items: readonly SetItem[];
  readonly atomic: boolean;
  readonly onMissing: OnMissing;
  readonly metadata: MetadataPairs;
}
export interface IncrementVariable extends Write {
  readonly kind: "incrementVariable";
  readonly sessionId: string;
  readonly identifier: string;
  readonly by: Literal;
  readonly onMissing: OnMissing;
  readonly metadata: MetadataPairs;
}
export interface DeleteVariable extends Write {
  readonly kind: "deleteVariable";
  readonly sessionId: string;
  readonly identifier: string;
}
export interface ListVariables {
  readonly kind: "listVariables";
  readonly sessionId: string;
  readonly glob?: string;
  readonly type?: TypeName;
  readonly source?: string;
  readonly pageSize: number;
  readonly pageToken: string;
}

export interface GetVariableHistory {
  readonly kind: "getVariableHistory";
  readonly sessionId: string;
  readonly identifier: string;
  /** At most so many entries, the newest. Absent: all that are kept. */
  readonly limit?: number;
}

/** Commands about sessions as such. */
export type SessionCommand = CreateSession | GetSession | ListSessions | Heartbeat | DeleteSession;
/** Commands that write variables of one session: each accepted one is one commit. */
export type VariableWrite =
  | RegisterVariable
  | EnsureVariables
  | SetVariable
  | SetVariables
  | IncrementVariable
  | DeleteVariable;
/** Commands that read variables of one session as they are. */
export type VariableRead = GetVariable | GetVariables | ListVariables;
/** Anything that can be asked. */
export type Command = Ping | SessionCommand | VariableWrite | VariableRead | GetVariableHistory;
export type CommandKind = Command["kind"];

/** What a session is, apart from its variables. */
export interface SessionInfo {
  readonly id: string;
  readonly revision: Revision;
  /** 0: never expires. */
  readonly ttlMs: number;
  readonly metadata: Metadata;
  readonly createdAtMs: number;
  readonly lastAccessedAtMs: number;
  readonly variableCount: number;
}

/** What an accepted item became. */
export interface ItemSet {
  readonly id: string;
  readonly type: TypeName;
  readonly version: number;
  /** As kept, in the arm of the variable's type. */
  readonly value: Variable["value"];
}

/** A variable and the identifier it was asked for by. */
export interface FoundVariable {
  readonly identifier: string;
  readonly variable: Variable;
}

/** The answer to a read or write of variables, without the revision that it is true at. */
export type VariableOutcome =
  | { readonly kind: "registerVariable"; readonly variable: Variable }
  | {
      readonly kind: "ensureVariables";
      readonly variables: readonly Variable[];
    }
  | { readonly kind: "getVariable"; readonly variable: Variable }
  | {
      readonly kind: "getVariables";
      readonly found: readonly FoundVariable[];
      readonly missing: readonly string[];
    }
  | { readonly kind: "setVariable"; readonly item: ItemSet }
  /** One for each item, in the order of the request. */
  | {
      readonly kind: "setVariables";
      readonly results: readonly (ItemSet | Refusal)[];
    }
  | { readonly kind: "incrementVariable"; readonly item: ItemSet }
  | { readonly kind: "deleteVariable" }
  | {
      readonly kind: "listVariables";
      readonly variables: readonly Variable[];
      /** Empty: this was the last page. */
      readonly nextPageToken: string;
    }
  | {
      readonly kind: "getVariableHistory";
      readonly id: string;
      /** Newest first. */
      readonly entries: readonly HistoryEntry[];
      /** True if there were older ones that are no longer kept. */
      readonly compacted: boolean;
    };

/** The answer to a command that was carried out. */
export type Reply =
  | {
      readonly kind: "ping";
      readonly message: string;
      readonly serverTimeMs: number;
      readonly serverVersion: string;
    }
  | {
      readonly kind: "createSession";
      readonly session: SessionInfo;
      readonly created: boolean;
    }
  | { readonly kind: "getSession"; readonly session: SessionInfo }
  | {
      readonly kind: "listSessions";
      readonly sessions: readonly SessionInfo[];
      readonly nextPageToken: string;
    }
  | { readonly kind: "heartbeat"; readonly revision: Revision }
  | { readonly kind: "deleteSession"; readonly revision: Revision }
  | (VariableOutcome & { readonly revision: Revision });

/** The command of a kind. */
export type CommandOf<K extends CommandKind> = Extract<Command, { kind: K }>;
/** The reply to a command of a kind. */
export type ReplyTo<K extends CommandKind> = Extract<Reply, { kind: K }>;
