/** What is other about the page that a client runs in: who operates it, how it lets others have their turn, and what may keep it from a bridge. */
import type { Operator } from "../operator.js";

/** Nobody operates a page but who has opened it, and he has a console. */
export const pageOperator: Operator = {
  notice() {},
  warn(warning) {
    console.warn(warning);
  },
};

/** A message to oneself comes after all that was ready, and sooner than the least that a page's timers wait. */
export function pageTurn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.addEventListener("message", () => {
      port1.close();
      resolve();
    });
    port1.start();
    port2.postMessage(undefined);
  });
}

/** What to do where no bridge answers. A browser says the same if the bridge does not let the page ask. */
export function adviceAt(address: string): string {
  const { location } = globalThis as { readonly location?: { readonly origin?: string } };
  const origin = location?.origin;
  const advice =
    "Is the address right? `npx snakepit-bridge serve` starts a bridge at http://127.0.0.1:50051";
  return origin === undefined || origin === new URL(address).origin
    ? advice
    : `${advice}, and pages of ${origin} may use it with \`--allow-origin ${origin}\``;
}
