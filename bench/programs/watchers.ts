/** Watchers of what is told, each by itself, and how they are let go. */
import { createClient } from "@redis/client";
import { type Client, connect, type SessionWatch } from "snakepit-bridge";
import { LISTEN } from "./stream-methods.js";
import { fromBytes, fromText, type Message, type Telling, variables } from "./telling.js";
import { clientOf } from "./unary-call.js";

/** Called with each message that a watcher is told; it knows whose it is. */
export type Told = (message: Message) => void;

/** Opens a watcher for each of `tolds`. When this is done all of them are told whatever is told from then on. */
export function openWatchers(telling: Telling, tolds: readonly Told[]): Promise<Close> {
  return OPEN[telling.way](telling, tolds);
}

export type Close = () => Promise<void>;

/** Many that begin at once wait for each other. */
const PATIENT = { timeoutMs: 60_000 };

const OPEN: Readonly<Record<Telling["way"], (telling: Telling, tolds: readonly Told[]) => Promise<Close>>> = {
  async bridge({ address, topic }, tolds) {
    const client = connect(address, PATIENT);
    const watches = await Promise.all(tolds.map((told) => watch(client, topic, told)));
    return async () => {
      await Promise.all(watches.map((one) => one.return()));
      await client.close();
    };
  },
  async "bridge, a client each"({ address, topic }, tolds) {
    const clients = tolds.map(() => connect(address, PATIENT));
    await Promise.all(clients.map((client, i) => watch(client, topic, tolds[i] as Told)));
    return async () => {
      await Promise.all(clients.map((client) => client.close()));
    };
  },
  async stream({ address }, tolds) {
    const client = clientOf(address);
    const { path, requestSerialize, responseDeserialize } = LISTEN;
    const calls = tolds.map(() =>
      client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, Buffer.alloc(0)),
    );
    let isOpen = true;
    await Promise.all(
      calls.map(
        (call, i) =>
          new Promise<void>((resolve, reject) => {
            call.on("data", (message: Buffer) =>
              message.length === 0 ? resolve() : tolds[i]?.(fromBytes(message)),
            );
            call.on("error", (error) => {
              if (isOpen) reject(error);
            });
          }),
      ),
    );
    return async () => {
      isOpen = false;
      for (const call of calls) call.cancel();
      client.close();
    };
  },
  async redis({ address, topic }, tolds) {
    const subscribers = await Promise.all(
      tolds.map(async (told) => {
        const subscriber = await createClient({ url: `redis://${address}` }).connect();
        await subscriber.subscribe(topic, (text) => told(fromText(text)));
        return subscriber;
      }),
    );
    return async () => {
      await Promise.all(subscribers.map((subscriber) => subscriber.close()));
    };
  },
};

async function watch(client: Client, topic: string, told: Told): Promise<SessionWatch<unknown>> {
  const session = await client.session(topic, variables);
  const watched = session.watch();
  await watched.ready();
  void (async () => {
    for await (const { revision, changes } of watched) {
      const [change] = changes;
      // Whole: one change, from the version before to the next one.
      if (changes.length !== 1 || change?.version !== (change?.previousVersion ?? 0) + 1)
        throw new Error(`revision ${revision} is not the set that it was`);
      told({ sequence: revision, sentUs: change.value ?? Number.NaN });
    }
  })().catch((error: unknown) => {
    // A client that is closed ends its watches.
    if (!(error instanceof Error && error.name === "ClosedError")) throw error;
  });
  return watched;
}
