/** What the TypeScript client can do, and what it is called, is what `spec/client-methods.json` says. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Client } from "../../packages/bridge/src/client/client.js";
import { Session } from "../../packages/bridge/src/client/session.js";
import { SessionStore } from "../../packages/bridge/src/client/session-store.js";
import { root } from "../e2e/processes.js";

interface Listed {
  readonly methods: readonly { readonly python: string; readonly typescript: readonly string[] }[];
  readonly only: readonly { readonly typescript?: string; readonly python?: string; readonly why: string }[];
}

const listed = JSON.parse(readFileSync(join(root, "spec", "client-methods.json"), "utf8")) as Listed;

/** The public methods of a class, as `Session.get`. */
function methodsOf({ name, prototype }: { readonly name: string; readonly prototype: object }): string[] {
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([method, { value }]) => method !== "constructor" && typeof value === "function")
    .map(([method]) => `${name}.${method}`);
}

test("every method has its counterpart in Python or says why not", () => {
  const known = new Set([
    ...listed.methods.flatMap(({ typescript }) => typescript),
    ...listed.only.flatMap(({ typescript }) => typescript ?? []),
  ]);
  expect([...known].sort()).toEqual([Client, Session, SessionStore].flatMap(methodsOf).sort());
});

test("a method has a counterpart or a reason, not both", () => {
  const shared = new Set(listed.methods.flatMap(({ typescript }) => typescript));
  expect(listed.only.filter(({ typescript }) => typescript !== undefined && shared.has(typescript))).toEqual(
    [],
  );
  expect(listed.only.every(({ why }) => why !== "")).toBe(true);
});
