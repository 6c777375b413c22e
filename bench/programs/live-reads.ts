/**
 * Reads that our TypeScript client answers by itself, from its copy of a session, so often in a row that the clock can tell how
 * long they take; and what the same loop takes with a look into a Map, and with nothing in it.
 */
import { connect, defineVariables, float, type Session } from "snakepit-bridge";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { MAX, MIN, VARIABLE } from "./workload.js";

/** `address` is the bridge's. */
type Question = Load & { readonly work: keyof typeof MANY; readonly address: string };

/** Nobody else has to do with it, so that no other row has a follower. */
const LIVE_SESSION = "live-reads";
const TIMES = 10_000;

const variables = defineVariables({ [VARIABLE]: float(MAX, { min: MIN, max: MAX }) });
type Live = Session<typeof variables>;
const sessions = new Map<string, Live>();
const values = new Map([[VARIABLE, MAX]]);

async function sessionAt(address: string): Promise<Live> {
  const session = sessions.get(address) ?? (await connect(address).session(LIVE_SESSION, variables));
  sessions.set(address, session);
  await session.ready();
  return session;
}

/** What is read is added up, as what nobody uses need not be read. */
let sum = 0;

const MANY = {
  async peek(session: Live) {
    for (let i = 0; i < TIMES; i++) sum += session.peek(VARIABLE);
  },
  async get(session: Live) {
    for (let i = 0; i < TIMES; i++) sum += await session.get(VARIABLE);
  },
  async map() {
    for (let i = 0; i < TIMES; i++) sum += values.get(VARIABLE) ?? 0;
  },
  async "await map"() {
    for (let i = 0; i < TIMES; i++) sum += await fromMap(VARIABLE);
  },
  async nothing() {
    for (let i = 0; i < TIMES; i++) sum += i;
  },
};

async function fromMap(name: string): Promise<number> {
  return values.get(name) ?? 0;
}

await answerQuestions<Question>(async (question) => {
  const session = await sessionAt(question.address);
  const many = MANY[question.work];
  sum = 0;
  const outcome = await closedLoop(() => many(session), question, TIMES);
  if (sum === 0) throw new Error("nothing was read");
  return outcome;
});
