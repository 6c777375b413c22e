/**
 * Who tells. `open` answers on which port it is told how far watchers are that begin now. `tell` tells, either for some time and as fast as
 * all keep up, never more than `window` messages ahead of the slowest process; or so many messages at a rate, whoever keeps up.
 */
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { monotonicUs } from "./monotonic.js";
import { openPublisher, type Publish } from "./publishers.js";
import { answerQuestions } from "./question-loop.js";
import type { Telling } from "./telling.js";

export type Pace =
  | { readonly window: number; readonly milliseconds: number }
  | { readonly perSecond: number; readonly messages: number };

type Question =
  | { readonly work: "open" }
  | ({ readonly work: "tell"; readonly messageBytes: number; readonly pace: Pace } & Telling);

/** What was told, and when that began by the clock that all processes share. */
export interface TellOutcome {
  readonly messages: number;
  readonly startUs: number;
}

/** How far each process of watchers is: messages that all of it have been told since it began. */
const progress = new Map<object, number>();
let moved = (): void => {};
const server = createServer((socket) => {
  progress.set(socket, 0);
  createInterface({ input: socket }).on("line", (line) => {
    if (progress.has(socket)) progress.set(socket, Number(line));
    moved();
  });
  socket.on("close", () => progress.delete(socket)).on("error", () => {});
});

const publishers = new Map<string, Promise<Publish>>();

async function tellInWindow(publish: Publish, window: number, milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  const accepted: Promise<unknown>[] = [];
  while (performance.now() < end) {
    const slowest = Math.min(...progress.values());
    while (accepted.length < slowest + window) accepted.push(publish());
    await new Promise<void>((resolve) => {
      moved = resolve;
    });
  }
  await Promise.all(accepted);
  return accepted.length;
}

async function tellAtRate(publish: Publish, perSecond: number, messages: number): Promise<number> {
  const start = performance.now();
  const accepted: Promise<unknown>[] = [];
  while (accepted.length < messages) {
    const due = Math.min(messages, Math.ceil(((performance.now() - start) / 1_000) * perSecond));
    while (accepted.length < due) accepted.push(publish());
    await setTimeout(1);
  }
  await Promise.all(accepted);
  return messages;
}

await answerQuestions<Question>(async (question) => {
  if (question.work === "open") {
    progress.clear();
    if (!server.listening) await once(server.listen(0, "127.0.0.1"), "listening");
    return { port: (server.address() as AddressInfo).port };
  }
  const key = `${question.way} ${question.address} ${question.topic}`;
  const opening = publishers.get(key) ?? openPublisher(question, question.messageBytes);
  publishers.set(key, opening);
  const publish = await opening;
  const startUs = monotonicUs();
  const { pace } = question;
  const messages =
    "window" in pace
      ? await tellInWindow(publish, pace.window, pace.milliseconds)
      : await tellAtRate(publish, pace.perSecond, pace.messages);
  return { messages, startUs } satisfies TellOutcome;
});
