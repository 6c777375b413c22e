/** Callers with our own TypeScript client, each read a call. */
import { connect, type Session } from "snakepit-bridge";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { nextValue, SESSION, VARIABLE } from "./workload.js";

/** `address` is the bridge's. */
type Question = Load & { readonly work: "get" | "set"; readonly address: string };

const sessions = new Map<string, Session>();

async function sessionAt(address: string): Promise<Session> {
  const session =
    sessions.get(address) ?? (await connect(address).session(SESSION, undefined, { cache: "off" }));
  sessions.set(address, session);
  return session;
}

await answerQuestions<Question>(async (question) => {
  const shared = await sessionAt(question.address);
  return closedLoop(async () => {
    if (question.work === "get") await shared.get(VARIABLE);
    else await shared.set(VARIABLE, nextValue());
  }, question);
});
