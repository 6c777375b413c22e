/**
 * One end of the way from a writer to a reader that waits; visibility.py is the other one. What is written is the time of the
 * writing, so the reader knows how long it took.
 *
 * `watch` begins to wait for what is written to a topic; `write` writes to one for some time, one value after the other, and
 * answers how many; `seen` waits until so many have come since the last time, and answers how long they took.
 */
import { setTimeout } from "node:timers/promises";
import { createClient } from "@redis/client";
import { connect, defineVariables, float } from "snakepit-bridge";
import { percentile } from "../harness/statistics.js";
import { monotonicUs } from "./monotonic.js";
import { answerQuestions } from "./question-loop.js";

/** Where a topic is: a session of a bridge, or a channel of Redis. */
interface Place {
  readonly server: "bridge" | "redis";
  readonly address: string;
  readonly topic: string;
}

interface Writing {
  readonly milliseconds: number;
  /** Between the end of one write and the next one: above 0 the reader waits. */
  readonly pauseMs: number;
  /** How long a message is, for Redis. */
  readonly valueBytes: number;
}

type Question = Place &
  (
    | { readonly work: "watch" }
    | ({ readonly work: "write" } & Writing)
    | { readonly work: "seen"; readonly count: number }
  );

/** As what the time is written; a variable like that of the other rows. */
const variables = defineVariables({ sent: float(0, { min: 0 }, { metadata: { unit: "µs" } }) });

/** What a topic is written to with, once it is open. */
type Write = (sentUs: number, valueBytes: number) => Promise<unknown>;
const writes = new Map<string, Promise<Write>>();

async function openForWriting({ server, address, topic }: Place): Promise<Write> {
  if (server === "bridge") {
    const session = await connect(address).session(topic, variables);
    return (sentUs) => session.set("sent", sentUs);
  }
  const client = await createClient({ url: `redis://${address}` }).connect();
  return (sentUs, valueBytes) => client.publish(topic, String(sentUs).padEnd(valueBytes));
}

/** What was seen of a topic: for how long each value had been on its way, in microseconds. */
class Seen {
  latencies: number[] = [];
  #more = (): void => {};

  see(sentUs: number): void {
    this.latencies.push(monotonicUs() - sentUs);
    this.#more();
  }

  async until(count: number): Promise<void> {
    while (this.latencies.length < count) {
      await new Promise<void>((resolve) => {
        this.#more = resolve;
      });
    }
  }
}
const seen = new Map<string, Seen>();

async function watch({ server, address, topic }: Place): Promise<Seen> {
  const watched = new Seen();
  if (server === "redis") {
    const client = await createClient({ url: `redis://${address}` }).connect();
    await client.subscribe(topic, (text) => watched.see(Number(text)));
    return watched;
  }
  const session = await connect(address).session(topic, variables);
  const told = session.watch();
  await told.ready();
  void (async () => {
    for await (const { changes } of told) for (const { value } of changes) watched.see(value ?? Number.NaN);
  })();
  return watched;
}

const keyOf = ({ address, topic }: Place) => `${address} ${topic}`;

async function write(place: Place & Writing) {
  const { milliseconds, pauseMs, valueBytes } = place;
  const key = keyOf(place);
  const opening = writes.get(key) ?? openForWriting(place);
  writes.set(key, opening);
  const one = await opening;
  const end = performance.now() + milliseconds;
  let count = 0;
  while (performance.now() < end) {
    await one(monotonicUs(), valueBytes);
    count++;
    if (pauseMs > 0) await setTimeout(pauseMs);
  }
  return { count };
}

await answerQuestions<Question>(async (question) => {
  const key = keyOf(question);
  if (question.work === "write") return write(question);
  if (question.work === "watch") {
    seen.set(key, await watch(question));
    return {};
  }
  const watched = seen.get(key) as Seen;
  await watched.until(question.count);
  const sorted = Float64Array.from(watched.latencies).sort();
  watched.latencies = [];
  return { calls: sorted.length, p50Us: percentile(sorted, 0.5), p99Us: percentile(sorted, 0.99) };
});
