/** What a client tells whoever operates the program, and nobody else. Programs need none of it. */

export type Notice =
  /** A client has heard its bridge, for the first time or again. */
  | { readonly event: "connect"; readonly address: string }
  /** A copy of a session is out of touch with the bridge. */
  | { readonly event: "stale"; readonly address: string; readonly session: string; readonly reason: string }
  /** It is what the session is. */
  | { readonly event: "ready"; readonly address: string; readonly session: string }
  /** It will not be any more, since another attempt would change nothing. */
  | {
      readonly event: "give up";
      readonly address: string;
      readonly session: string;
      readonly reason: string;
    };

/** The way to that person, which is another one in a page than in a process. */
export interface Operator {
  /** Tells what has become of a connection or a copy. */
  notice(notice: Notice): void;
  /** Warns of a mistake in the program that nobody else is told. */
  warn(warning: Error): void;
}
