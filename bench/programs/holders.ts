/**
 * A process that has a bridge hold something: variables, watches or followers, which do nothing more. `hold` makes so many and answers
 * when all of them stand; `let go` ends them.
 */
import { type Client, connect, defineVariables, float } from "snakepit-bridge";
import { Following } from "../../packages/bridge/dist/client/following.js";
import { GrpcTransport } from "../../packages/bridge/dist/client/transport/grpc.js";
import { answerQuestions } from "./question-loop.js";
import { MAX, METADATA, MIN, VARIABLE } from "./workload.js";

export type Held = "variables" | "watches" | "followers";

/** `from` is how many there are already; together they are in sessions of so many each. */
type Question =
  | {
      readonly work: "hold";
      readonly held: Held;
      readonly address: string;
      readonly from: number;
      readonly count: number;
      readonly inSession: number;
    }
  | { readonly work: "let go" };

/** Many that begin at once wait for each other. */
const PATIENT = { timeoutMs: 120_000 };

const variable = () => float(MIN, { min: MIN, max: MAX }, { metadata: Object.fromEntries(METADATA) });

const HOLD: Readonly<Record<Held, (address: string, sessionId: string, count: number) => Promise<void>>> = {
  async variables(address, sessionId, count) {
    const names = Array.from({ length: count }, (_, i) => `${VARIABLE}_${i}`);
    await clientAt(address).session(
      sessionId,
      defineVariables(Object.fromEntries(names.map((name) => [name, variable()]))),
    );
  },
  async watches(address, sessionId, count) {
    const session = await clientAt(address).session(sessionId, defineVariables({ [VARIABLE]: variable() }));
    const watches = Array.from({ length: count }, () => session.watch());
    await Promise.all(watches.map((watch) => watch.ready()));
  },
  async followers(address, sessionId, count) {
    await clientAt(address).session(sessionId, defineVariables({ [VARIABLE]: variable() }));
    const followings = Array.from({ length: count }, () => new Following(transportAt(address), sessionId));
    await Promise.all(followings.map(isCurrent));
  },
};

async function isCurrent(following: Following): Promise<void> {
  following.begin();
  while (!following.replica.isCurrent) {
    await following.news();
    if (following.error !== undefined) throw following.error;
  }
}

/** A client has one copy of a session, however many read from it. So followers are made without one. */
const clients = new Map<string, Client>();
const transports = new Map<string, GrpcTransport>();

function clientAt(address: string): Client {
  const client = clients.get(address) ?? connect(address, PATIENT);
  clients.set(address, client);
  return client;
}

function transportAt(address: string): GrpcTransport {
  const transport = transports.get(address) ?? new GrpcTransport(address, PATIENT);
  transports.set(address, transport);
  return transport;
}

await answerQuestions<Question>(async (question) => {
  if (question.work === "let go") {
    await Promise.all([...clients.values(), ...transports.values()].map((one) => one.close()));
    clients.clear();
    transports.clear();
    return {};
  }
  const { held, address, from, count, inSession } = question;
  for (let at = from; at < from + count; at += inSession) {
    await HOLD[held](address, `${held}-${process.pid}-${at}`, Math.min(inSession, from + count - at));
  }
  return {};
});
