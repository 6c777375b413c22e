/** A door: a way into a bridge from other processes. It listens nowhere, and takes connections from whoever does. */
import type { Socket } from "node:net";

export interface Door {
  /** Takes a connection. Nothing of it may have been read. */
  take(socket: Socket): void;
  /** Takes no more calls, and ends watches. Once; done when nothing runs any more. */
  drain(): Promise<unknown>;
  /** Ends what still runs. */
  cutOff(): void;
}
