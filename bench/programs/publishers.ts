/** Who tells what many watch. */
import { createClient } from "@redis/client";
import { connect } from "snakepit-bridge";
import { monotonicUs } from "./monotonic.js";
import { TELL } from "./stream-methods.js";
import { type Telling, toBytes, toText, variables } from "./telling.js";
import { clientOf } from "./unary-call.js";

/** Tells one more message; done when that is accepted. */
export type Publish = () => Promise<unknown>;

/** `messageBytes`: how long a message is, for those who know no variables. */
export function openPublisher(telling: Telling, messageBytes: number): Promise<Publish> {
  const { way } = telling;
  return OPEN[way === "stream" || way === "redis" ? way : "bridge"](telling, messageBytes);
}

type Open = (telling: Telling, messageBytes: number) => Promise<Publish>;

const OPEN: Readonly<Record<"bridge" | "stream" | "redis", Open>> = {
  async bridge({ address, topic }) {
    // However much waits for a server that is given more than it can bear: that is what is measured.
    const session = await connect(address, { timeoutMs: 120_000 }).session(topic, variables);
    return () => session.set("sent", monotonicUs());
  },
  async stream({ address }, messageBytes) {
    const { path, requestSerialize, responseDeserialize } = TELL;
    const call = clientOf(address).makeClientStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      (error) => {
        if (error !== null) throw error;
      },
    );
    let sequence = 0;
    return async () =>
      void call.write(toBytes({ sequence: ++sequence, sentUs: monotonicUs() }, messageBytes));
  },
  async redis({ address, topic }, messageBytes) {
    const client = await createClient({ url: `redis://${address}` }).connect();
    let sequence = 0;
    return () => client.publish(topic, toText({ sequence: ++sequence, sentUs: monotonicUs() }, messageBytes));
  },
};
