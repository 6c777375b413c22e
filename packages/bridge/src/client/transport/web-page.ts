/** What is other about the page that a client runs in: who operates it, and what may keep it from a bridge. */
import type { Operator } from "../operator.js";

/** Nobody operates a page but who has opened it, and he has a console. */
export const pageOperator: Operator = {
  notice() {},
  warn(warning) {
    console.warn(warning);
  },
};

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
