/** Waiting that has an end: a time by a clock that is passed in, and a signal. */
import type { Clock } from "../../core/clock.js";
import type { OnAbort } from "./abort.js";

/**
 * True as soon as the event has come; false if the time has passed before it. Rejects with the reason of an abort. The
 * event may be shared by many who wait: nothing of it is used up.
 */
export function happensWithin(
  event: Promise<unknown>,
  ms: number,
  clock: Clock,
  onAbort: OnAbort,
): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.setTimer(Math.max(0, ms), () => {
      stopListening();
      resolve(false);
    });
    const stopListening = onAbort((reason) => {
      cancelTimer();
      reject(reason);
    });
    const end = (): void => {
      cancelTimer();
      stopListening();
    };
    event.then(
      () => {
        end();
        resolve(true);
      },
      (cause: unknown) => {
        end();
        reject(cause);
      },
    );
  });
}

/** Lets time pass. Rejects with the reason of an abort. */
export async function pause(ms: number, clock: Clock, onAbort: OnAbort): Promise<void> {
  await happensWithin(new Promise(() => {}), ms, clock, onAbort);
}
