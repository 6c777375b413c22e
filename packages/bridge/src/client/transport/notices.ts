/**
 * What a client tells whoever operates it, and nobody else: published on the channel `snakepit-bridge` of Node's
 * `diagnostics_channel`, where it costs nothing while nobody listens. Programs need none of it.
 */
import { channel } from "node:diagnostics_channel";

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

const notices = channel("snakepit-bridge");

/** Tells whoever listens. */
export function publish(notice: Notice): void {
  if (notices.hasSubscribers) notices.publish(notice);
}
