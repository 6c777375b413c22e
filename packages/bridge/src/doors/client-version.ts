/**
 * Refuses the calls of a client that does not work with this bridge (DOOR-9). A client says with each call what it is,
 * as it says how large a detail it takes; so nothing is asked beforehand, and a bridge that was exchanged under a
 * connection is noticed too. A client that says nothing is of somebody else's making and knows the contract by itself.
 */
import { Refusal } from "../core/refusal.js";
import { npmInstall, type Party, pipInstall, versionMismatch } from "../core/versions.js";
import { VERSION } from "../version.js";

const BRIDGE: Party = { name: "the bridge", version: VERSION, install: npmInstall };

/** What our own clients call themselves: language and version. */
const FORM = /^([a-z]{1,32})\/(\S{1,64})$/;

const CLIENTS: ReadonlyMap<string, Omit<Party, "version">> = new Map([
  ["python", { name: "the client in Python", install: (generation) => pipInstall(generation) }],
  ["typescript", { name: "the client in TypeScript", install: npmInstall }],
]);
const SOME_CLIENT: Omit<Party, "version"> = { name: "the client", install: undefined };

/** What nearly every call says. */
const USUAL: ReadonlySet<unknown> = new Set([...CLIENTS.keys()].map((language) => `${language}/${VERSION}`));

/**
 * Why a client may not call; undefined if it may.
 *
 * @param claim what it says that it is, under the key for that
 */
export function refuseClient(claim: unknown): Refusal | undefined {
  if (claim === undefined || USUAL.has(claim)) return undefined;
  const [, language, version] = FORM.exec(String(claim)) ?? [];
  if (language === undefined || version === undefined) return undefined;
  const mismatch = versionMismatch({ ...(CLIENTS.get(language) ?? SOME_CLIENT), version }, BRIDGE);
  return mismatch === undefined ? undefined : new Refusal("VERSION_MISMATCH", mismatch);
}
