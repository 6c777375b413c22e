/**
 * Who may ask over HTTP. A browser lets every page of the world send requests to this machine, and says with each which name it
 * took this machine for and which page asks; so a bridge without access control answers only if both are known to it.
 *
 * - The name, in `Host`, has to be one that no stranger can have: otherwise a page of his could have its own name resolved to this
 *   machine, and would be of the same origin as the bridge then.
 * - The page, in `Origin`, has to be one that this bridge serves, or one that was allowed. Programs that are no browsers say none.
 */
import { isIP } from "node:net";
import { quoteName } from "../../core/names.js";

export interface GuardOptions {
  /** What the bridge was told to listen on. */
  readonly host: string;
  /** Pages of other origins that may ask, as `http://localhost:5173`. */
  readonly allowOrigins: readonly string[];
}

/** What may be done about a request: nothing, for a reason; or something, for a page of this origin if it is another one. */
export type Judgement = { readonly refusal: string } | { readonly origin: string | undefined };

/** What stands for all addresses of a machine. */
const WILDCARDS: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

export class Guard {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** Whether any address will do as a name. A stranger's page cannot have one. */
  readonly #takesAddresses: boolean;

  constructor({ host, allowOrigins }: GuardOptions) {
    this.#origins = new Set(allowOrigins);
    // Behind a proxy the bridge is reached by the name of the page.
    this.#hosts = new Set([
      host.toLowerCase(),
      ...allowOrigins.map((origin) => nameIn(new URL(origin).host)),
    ]);
    this.#takesAddresses = WILDCARDS.has(host);
  }

  /** Judges by what a request says of itself. */
  judge(headers: { readonly host?: string | undefined; readonly origin?: string | undefined }): Judgement {
    const { host = "", origin } = headers;
    const name = nameIn(host.toLowerCase());
    if (!this.#isOurs(name))
      return {
        refusal:
          `this bridge is not called ${quoteName(name)} (by the header Host): ` +
          "ask it by the name or address that it listens on",
      };
    if (origin === undefined || origin === `http://${host.toLowerCase()}`) return { origin: undefined };
    if (this.#origins.has(origin)) return { origin };
    return {
      refusal:
        `pages of ${quoteName(origin)} may not ask this bridge: ` +
        "allow them with serve --allow-origin, or allowOrigins of startBridge",
    };
  }

  #isOurs(name: string): boolean {
    return (
      name === "localhost" ||
      name === "::1" ||
      (name.startsWith("127.") && isIP(name) === 4) ||
      this.#hosts.has(name) ||
      (this.#takesAddresses && isIP(name) !== 0)
    );
  }
}

/** A host without its port, and an IPv6 address without its brackets. */
function nameIn(host: string): string {
  return host.replace(/:\d*$/, "").replace(/^\[(.*)\]$/, "$1");
}

/** Whether this is an origin as browsers write it. */
export function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
