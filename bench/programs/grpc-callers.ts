/** Callers with a generic gRPC client: grpc-js and protobuf-es, nothing of ours but the contract. */
import type { Client } from "@grpc/grpc-js";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { clientOf } from "./unary-call.js";
import { get, prepare, set } from "./unary-calls.js";

/** `address` is the server's. `prepare` makes the variable there and answers as `Prepared`; `first get` reads it once. */
type Question =
  | (Load & { readonly work: "get" | "set"; readonly address: string })
  | { readonly work: "prepare"; readonly address: string }
  | { readonly work: "first get"; readonly address: string };

const clients = new Map<string, Client>();

await answerQuestions<Question>(async (question) => {
  const { address } = question;
  if (question.work === "first get") return firstGet(address);
  const client = clients.get(address) ?? clientOf(address);
  clients.set(address, client);
  if (question.work === "prepare") return prepare(client);
  const call = question.work === "get" ? get : set;
  return closedLoop(async () => void (await call(client)), question);
});

/** Reads the variable over a connection of its own. */
async function firstGet(address: string): Promise<object> {
  const client = clientOf(address);
  await get(client);
  client.close();
  return {};
}
