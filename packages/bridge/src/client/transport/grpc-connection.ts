/**
 * Whether there is a connection. A write that was never handed over was certainly not carried out (ORD-16), and gRPC
 * does not tell afterwards whether it was; so commands are only handed over on a connection that stands.
 *
 *   IDLE → CONNECTING → READY → IDLE …          one waits here until READY
 *          CONNECTING → TRANSIENT_FAILURE …     there is none; gRPC goes on trying in the background
 */
import { type ChannelInterface as Channel, connectivityState } from "@grpc/grpc-js";

/**
 * When the state is looked at again although nothing was heard. A connection that is being made does not keep the process alive, and
 * whoever waits for it need not have a timer; waiting with a time limit has one.
 */
const LOOK_AGAIN_MS = 60_000;

/**
 * Connects if needed. False as soon as that failed.
 *
 * Asking to connect answers what was before. It may be otherwise now: a connection that another client of this process has made
 * is there at once, and the change to it will not come again. So the state is read once more. One that is closed is not asked: it
 * would connect, and never let go of that.
 */
export async function isConnected(channel: Channel): Promise<boolean> {
  for (;;) {
    if (channel.getConnectivityState(false) === connectivityState.SHUTDOWN) return false;
    channel.getConnectivityState(true);
    const state = channel.getConnectivityState(false);
    switch (state) {
      case connectivityState.READY:
        return true;
      case connectivityState.TRANSIENT_FAILURE:
      case connectivityState.SHUTDOWN:
        return false;
      case connectivityState.IDLE:
      case connectivityState.CONNECTING:
        await new Promise<void>((resolve) => {
          channel.watchConnectivityState(state, Date.now() + LOOK_AGAIN_MS, () => resolve());
        });
    }
  }
}
