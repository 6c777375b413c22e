/**
 * Whether there is a connection. A write that was never handed over was certainly not carried out (ORD-16), and gRPC
 * does not tell afterwards whether it was; so commands are only handed over on a connection that stands.
 *
 *   IDLE → CONNECTING → READY → IDLE …          one waits here until READY
 *          CONNECTING → TRANSIENT_FAILURE …     there is none; gRPC goes on trying in the background
 */
import { type ChannelInterface as Channel, connectivityState } from "@grpc/grpc-js";

/** Connects if needed. False as soon as that failed. */
export async function isConnected(channel: Channel): Promise<boolean> {
  for (;;) {
    switch (channel.getConnectivityState(true)) {
      case connectivityState.READY:
        return true;
      case connectivityState.TRANSIENT_FAILURE:
      case connectivityState.SHUTDOWN:
        return false;
      case connectivityState.IDLE:
      case connectivityState.CONNECTING:
        await nextChange(channel);
    }
  }
}

function nextChange(channel: Channel): Promise<void> {
  return new Promise((resolve) => {
    // Asking to connect may have changed the state already, so it is read once more.
    const state = channel.getConnectivityState(false);
    channel.watchConnectivityState(state, Number.POSITIVE_INFINITY, () => resolve());
  });
}
