/** What one request, one session and one server may take (P9: everything is bounded). Each has a name for settings. */
export interface BridgeLimits {
  /** The largest value, in bytes of UTF-8 or raw bytes. `max-value-bytes` */
  readonly maxValueBytes: number;
  /** Items of one batch, names of one read, definitions of one ensure. `max-items` */
  readonly maxItems: number;
  /** Variables of one session; deleted names count, as their versions are remembered (VAL-10). `max-variables` */
  readonly maxVariables: number;
  /** All values of one session, in bytes as above. `max-session-bytes` */
  readonly maxSessionBytes: number;
  /** Sessions of one server. `max-sessions` */
  readonly maxSessions: number;
  /** Watches of one server. `max-watches` */
  readonly maxWatches: number;
  /** One message in either direction, and all values of one commit, in bytes. `max-message-bytes` */
  readonly maxMessageBytes: number;
}

export const DEFAULT_LIMITS: BridgeLimits = Object.freeze({
  maxValueBytes: 1_048_576,
  maxItems: 1_000,
  maxVariables: 10_000,
  maxSessionBytes: 67_108_864,
  maxSessions: 1_000_000,
  maxWatches: 10_000,
  maxMessageBytes: 4_194_304,
});

/** Settings are written in kebab-case on the command line and in errors. */
export const LIMIT_SETTINGS = {
  "max-value-bytes": "maxValueBytes",
  "max-items": "maxItems",
  "max-variables": "maxVariables",
  "max-session-bytes": "maxSessionBytes",
  "max-sessions": "maxSessions",
  "max-watches": "maxWatches",
  "max-message-bytes": "maxMessageBytes",
} as const satisfies Record<string, keyof BridgeLimits>;
