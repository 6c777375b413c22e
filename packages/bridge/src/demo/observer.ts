/**
 * What the host sees of its session. There is no push yet, so it looks again and again: in the bridge's own process a
 * read of all variables takes some microseconds. All times are those of the bridge's clock, so they can be compared.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { SessionStore, VariableView } from "../client/index.js";
import { SETTING_NAMES } from "./variables.js";

/** All variables at one revision, and when they were looked at. */
export interface View {
  readonly variables: ReadonlyMap<string, VariableView>;
  readonly revision: number;
  readonly at: Date;
}

/** Something worth telling. */
export type Sighting =
  /** Somebody set a variable. */
  | { readonly kind: "written"; readonly variable: VariableView }
  /** The worker used this version of a setting, so long after it was set. */
  | { readonly kind: "acknowledged"; readonly variable: VariableView; readonly afterMs: number }
  /** The worker made steps; the last one was seen here so long after it was written. */
  | { readonly kind: "progress"; readonly variable: VariableView; readonly afterMs: number };

/** Reads these variables at one revision. */
export async function look(
  sessions: SessionStore,
  sessionId: string,
  names: readonly string[],
): Promise<View> {
  const { found, revision } = await sessions.getVariables(sessionId, names);
  return { variables: found, revision, at: new Date() };
}

/** A variable of a view; they were all defined before anybody looked. */
export function variable(view: View, name: string): VariableView {
  const found = view.variables.get(name);
  if (found === undefined) throw new Error(`somebody deleted the variable ${name}`);
  return found;
}

/** The version of a setting that the worker had read when it made its last commit; 0 before the first. */
export function versionSeenByWorker(view: View, name: string): number {
  return Number(variable(view, "step").metadata.get(`saw_${name}`) ?? 0);
}

/** How long after it was set the worker used the setting as it is now; undefined if it has not yet. */
export function acknowledgedAfter(view: View, name: string): number | undefined {
  const setting = variable(view, name);
  const seen = versionSeenByWorker(view, name) >= setting.version;
  return seen ? variable(view, "step").updatedAt.getTime() - setting.updatedAt.getTime() : undefined;
}

/** What has happened between two looks. */
export function compare(before: View, now: View): Sighting[] {
  const sightings: Sighting[] = [];
  for (const name of SETTING_NAMES) {
    const setting = variable(now, name);
    if (setting.version > variable(before, name).version)
      sightings.push({ kind: "written", variable: setting });
  }
  for (const name of SETTING_NAMES) {
    const setting = variable(now, name);
    const afterMs = acknowledgedAfter(now, name);
    const isNews = setting.version > versionSeenByWorker(before, name);
    if (isNews && afterMs !== undefined) sightings.push({ kind: "acknowledged", variable: setting, afterMs });
  }
  const step = variable(now, "step");
  if (step.version > variable(before, "step").version) {
    sightings.push({
      kind: "progress",
      variable: step,
      afterMs: now.at.getTime() - step.updatedAt.getTime(),
    });
  }
  return sightings;
}

/** Looks every so many milliseconds until the signal, and tells what has happened since the look before. */
export async function* observe(
  sessions: SessionStore,
  sessionId: string,
  names: readonly string[],
  everyMs: number,
  signal: AbortSignal,
): AsyncGenerator<{ readonly view: View; readonly sightings: readonly Sighting[] }> {
  let before = await look(sessions, sessionId, names);
  while (!signal.aborted) {
    const view = await look(sessions, sessionId, names);
    yield { view, sightings: compare(before, view) };
    before = view;
    await delay(everyMs, undefined, { signal }).catch(() => {});
  }
}

/** Looks until the condition gives something; throws, saying what was waited for, when the time is up. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  condition: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  while (true) {
    const found = await condition();
    if (found !== undefined) return found;
    if (performance.now() > deadline) throw new Error(`waited ${timeoutMs / 1000} s for ${what}`);
    await delay(2);
  }
}
