/** Watchers of what is told, each by itself, and how they are let go. */
import { createClient } from "@redis/client";
import { type Client, connect, type SessionWatch } from "snakepit-bridge";
import { Following } from "../../packages/bridge/dist/client/following.js";
import { GrpcTransport } from "../../packages/bridge/dist/client/transport/grpc.js";
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
  async "bridge, copies"({ address, topic }, tolds) {
    const transport = new GrpcTransport(address, PATIENT);
    // A client has one copy of a session, however many read from it; these are one each.
    const followings = tolds.map(() => new Following(transport, topic));
    await Promise.all(followings.map((following, i) => follow(following, tolds[i] as Told)));
    return async () => {
      for (const following of followings) following.end();
      await transport.close();
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

/** Begins to keep a copy; done when it is current. Its reader looks at it whenever it has changed. */
async function follow(following: Following, told: Told): Promise<void> {
  const { replica } = following;
  following.begin();
  while (!replica.isCurrent) await following.news();
  void (async () => {
    let after = replica.revision?.number as number;
    const before = after - (replica.find("sent")?.version as number);
    while (following.error === undefined) {
      await following.news();
      const sequence = replica.revision?.number;
      if (sequence === undefined || sequence === after) continue;
      // Each commit is a set, of which the versions and the revisions count the same.
      const { version, value } = replica.find("sent") ?? {};
      if (version !== sequence - before || typeof value !== "number")
        throw new Error(`revision ${sequence} is not the state that it was`);
      told({ sequence, sentUs: value, after });
      after = sequence;
    }
  })();
}
