/** What the host does so that there is something to watch: one change every few seconds, again and again. */
import { setTimeout as delay } from "node:timers/promises";
import { BridgeError, type Session } from "../client/index.js";
import type { variables } from "./variables.js";

type Shared = Session<typeof variables>;

/** One change, or an attempt at one. */
interface Scene {
  readonly about: string;
  readonly play: (session: Shared) => Promise<unknown>;
}

const scenes: readonly Scene[] = [
  { about: "larger steps", play: (session) => session.set("learning_rate", 0.1) },
  { about: "the minimum moves", play: (session) => session.set("target", -1) },
  { about: "pause", play: (session) => session.set("paused", true) },
  { about: "the minimum moves while nobody looks", play: (session) => session.set("target", 1.5) },
  { about: "go on", play: (session) => session.set("paused", false) },
  { about: "a learning rate that is refused", play: (session) => session.set("learning_rate", 5) },
  {
    about: "two settings in one commit",
    play: (session) => session.setMany({ learning_rate: 0.05, target: 0.5 }),
  },
  { about: "the minimum moves back", play: (session) => session.set("target", 1) },
];

/** Plays the scenes in turn until the signal; tells what each is about before it, and what was refused. */
export async function tellStory(
  session: Shared,
  everyMs: number,
  signal: AbortSignal,
  tell: (text: string) => void,
): Promise<void> {
  for (let i = 0; ; i++) {
    await delay(everyMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const scene = scenes[i % scenes.length] as Scene;
    tell(`now: ${scene.about}`);
    try {
      await scene.play(session);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      tell(`${error.name}: ${error.message}`);
    }
  }
}
