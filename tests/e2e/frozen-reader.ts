/**
 * A process with watchers of a session. It prints each event as the watcher is told it, with the number of the watcher, as a line of
 * JSON: its time in milliseconds, its metadata as pairs, and of long texts their length. Its arguments are the bridge's address, the session, and how many watchers it has.
 */
import { connect } from "snakepit-bridge";

const [address = "", id = "", watchers = "1"] = process.argv.slice(2);
const client = connect(address, { timeoutMs: 20_000 });

const watches = Array.from({ length: Number(watchers) }, () => client.sessions.watch(id));
await Promise.all(watches.map((watch) => watch.ready()));
console.log("ready");
const lengthOfLong = (_: string, value: unknown): unknown =>
  typeof value === "string" && value.length > 100 ? value.length : value;
await Promise.all(
  watches.map(async (watch, watcher) => {
    for await (const { at, metadata, ...event } of watch)
      console.log(
        JSON.stringify({ watcher, ...event, at: at.getTime(), metadata: [...metadata] }, lengthOfLong),
      );
  }),
);
