/** A turn of Node's event loop: what was ready, such as what a bridge has said, comes first. */
import { setImmediate } from "node:timers/promises";

export const nodeTurn = (): Promise<void> => setImmediate();
