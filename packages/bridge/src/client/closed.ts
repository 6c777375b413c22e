/** What is said of a session that this program has let go of. It may live on at the bridge. */
import { type BridgeError, errorFor } from "../core/errors.js";
import { quoteName } from "../core/names.js";

/** Why nothing is done with it any more. */
export function closedHere(sessionId: string): BridgeError {
  return errorFor("CLOSED", `the session ${quoteName(sessionId)} was closed here`, { sessionId });
}
