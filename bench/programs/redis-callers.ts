/** Callers with the Redis project's own client, which sends what is asked of it in one turn of the loop together. */
import { createClient } from "@redis/client";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { nextText, VARIABLE } from "./workload.js";

/** `address` is the server's; a value takes so many bytes. */
type Question = Load & {
  readonly work: "get" | "set";
  readonly address: string;
  readonly valueBytes: number;
};

const connected = (address: string) => createClient({ url: `redis://${address}` }).connect();
const clients = new Map<string, Awaited<ReturnType<typeof connected>>>();

await answerQuestions<Question>(async (question) => {
  const { address, valueBytes } = question;
  const client = clients.get(address) ?? (await connected(address));
  clients.set(address, client);
  return closedLoop(async () => {
    if (question.work === "set") await client.set(VARIABLE, nextText(valueBytes));
    else if ((await client.get(VARIABLE)) === null) throw new Error("there is no value to get");
  }, question);
});
