/** Callers with the Redis project's own client, which sends what is asked of it in one turn of the loop together. */
import { createClient } from "@redis/client";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { nextText, VARIABLE } from "./workload.js";

/** `address` is the server's; a value takes so many bytes. */
type Question = Load & { readonly address: string; readonly valueBytes: number };

const connected = (address: string) => createClient({ url: `redis://${address}` }).connect();
let client: Awaited<ReturnType<typeof connected>> | undefined;

await answerQuestions<Question>(async (question) => {
  const { address, valueBytes } = question;
  client ??= await connected(address);
  const one = client;
  return closedLoop(async () => void (await one.set(VARIABLE, nextText(valueBytes))), question);
});
