/** Callers with our own TypeScript client, each read a call. */
import { type Client, connect, type Session } from "snakepit-bridge";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { nextValue, SESSION, VARIABLE } from "./workload.js";

/** `address` is the bridge's. */
type Question = Load & { readonly work: "get" | "set"; readonly address: string };

let client: Client | undefined;
let session: Session | undefined;

async function sessionAt(address: string): Promise<Session> {
  client ??= connect(address);
  session ??= await client.session(SESSION);
  return session;
}

await answerQuestions<Question>(async (question) => {
  const shared = await sessionAt(question.address);
  return closedLoop(async () => {
    if (question.work === "get") await shared.get(VARIABLE);
    else await shared.set(VARIABLE, nextValue());
  }, question);
});
