/** How the commands of SessionService travel. */
import type { SessionCommand, SessionInfo } from "../core/commands.js";
import type { Codecs } from "./codec.js";
import type { Session } from "./gen/snakepit/bridge/v1/sessions_pb.js";
import {
  durationFromProto,
  durationToProto,
  revisionFromProto,
  revisionToProto,
  timestampFromProto,
  timestampToProto,
} from "./points.js";
import { encodable, encodableAs, optional, required, toUint32 } from "./unfit.js";
import { checkedMetadataFromProto, metadataFromProto, metadataToProto } from "./values.js";
import { writeFromProto, writeToProto } from "./writes.js";

export const SESSION_CODECS: Codecs<"ping" | SessionCommand["kind"]> = {
  ping: {
    request: ({ message }) => ({
      $typeName: "snakepit.bridge.v1.PingRequest",
      message: encodable(message, "message"),
    }),
    command: ({ message }) => ({ kind: "ping", message }),
    response: ({ message, serverTimeMs, serverVersion }) => ({
      $typeName: "snakepit.bridge.v1.PingResponse",
      message,
      serverTime: timestampToProto(serverTimeMs),
      serverVersion,
    }),
    reply: ({ message, serverTime, serverVersion }) => ({
      kind: "ping",
      message,
      serverTimeMs: timestampFromProto(serverTime, "server_time"),
      serverVersion,
    }),
  },

  createSession: {
    request: ({ sessionId, ttlMs, metadata, requestId, source }) => ({
      $typeName: "snakepit.bridge.v1.CreateSessionRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      ...optional("ttl", ttlMs === undefined ? undefined : durationToProto(ttlMs, "ttl")),
      metadata: metadataToProto(metadata),
      ...writeToProto({ requestId, source }),
    }),
    command: ({ sessionId, ttl, metadata, requestId, source }) => ({
      kind: "createSession",
      sessionId,
      ...optional("ttlMs", ttl === undefined ? undefined : durationFromProto(ttl)),
      metadata: metadataFromProto(metadata),
      ...writeFromProto({ requestId, source }),
    }),
    response: ({ session, created }) => ({
      $typeName: "snakepit.bridge.v1.CreateSessionResponse",
      session: sessionToProto(session),
      created,
    }),
    reply: ({ session, created }) => ({ kind: "createSession", session: sessionFromProto(session), created }),
  },

  getSession: {
    request: ({ sessionId }) => ({
      $typeName: "snakepit.bridge.v1.GetSessionRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
    }),
    command: ({ sessionId }) => ({ kind: "getSession", sessionId }),
    response: ({ session }) => ({
      $typeName: "snakepit.bridge.v1.GetSessionResponse",
      session: sessionToProto(session),
    }),
    reply: ({ session }) => ({ kind: "getSession", session: sessionFromProto(session) }),
  },

  listSessions: {
    request: ({ glob, pageSize, pageToken }) => ({
      $typeName: "snakepit.bridge.v1.ListSessionsRequest",
      ...optional("glob", glob === undefined ? undefined : encodable(glob, "glob")),
      pageSize: toUint32(pageSize, "page_size"),
      pageToken: encodable(pageToken, "page_token"),
    }),
    command: ({ glob, pageSize, pageToken }) => ({
      kind: "listSessions",
      ...optional("glob", glob),
      pageSize,
      pageToken,
    }),
    response: ({ sessions, nextPageToken }) => ({
      $typeName: "snakepit.bridge.v1.ListSessionsResponse",
      sessions: sessions.map(sessionToProto),
      nextPageToken,
    }),
    reply: ({ sessions, nextPageToken }) => ({
      kind: "listSessions",
      sessions: sessions.map(sessionFromProto),
      nextPageToken,
    }),
  },

  heartbeat: {
    request: ({ sessionId }) => ({
      $typeName: "snakepit.bridge.v1.HeartbeatRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
    }),
    command: ({ sessionId }) => ({ kind: "heartbeat", sessionId }),
    response: ({ revision }) => ({
      $typeName: "snakepit.bridge.v1.HeartbeatResponse",
      revision: revisionToProto(revision),
    }),
    reply: ({ revision }) => ({ kind: "heartbeat", revision: revisionFromProto(revision) }),
  },

  deleteSession: {
    request: ({ sessionId, source }) => ({
      $typeName: "snakepit.bridge.v1.DeleteSessionRequest",
      sessionId: encodableAs(sessionId, "INVALID_NAME"),
      ...writeToProto({ source }),
    }),
    command: ({ sessionId, source }) => ({ kind: "deleteSession", sessionId, ...writeFromProto({ source }) }),
    response: ({ revision }) => ({
      $typeName: "snakepit.bridge.v1.DeleteSessionResponse",
      revision: revisionToProto(revision),
    }),
    reply: ({ revision }) => ({ kind: "deleteSession", revision: revisionFromProto(revision) }),
  },
};

function sessionToProto(session: SessionInfo): Session {
  return {
    $typeName: "snakepit.bridge.v1.Session",
    id: session.id,
    revision: revisionToProto(session.revision),
    ttl: durationToProto(session.ttlMs, "ttl"),
    metadata: metadataToProto(session.metadata),
    createdAt: timestampToProto(session.createdAtMs),
    lastAccessedAt: timestampToProto(session.lastAccessedAtMs),
    variableCount: session.variableCount,
  };
}

function sessionFromProto(message: Session | undefined): SessionInfo {
  const session = required(message, "session");
  return {
    id: session.id,
    revision: revisionFromProto(session.revision),
    ttlMs: durationFromProto(required(session.ttl, "ttl")),
    metadata: checkedMetadataFromProto(session.metadata),
    createdAtMs: timestampFromProto(session.createdAt, "created_at"),
    lastAccessedAtMs: timestampFromProto(session.lastAccessedAt, "last_accessed_at"),
    variableCount: session.variableCount,
  };
}
