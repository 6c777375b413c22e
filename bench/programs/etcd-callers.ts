/** Callers of etcd over gRPC, as its own clients do; grpc-js, and the codec that comes with it. */
import { fileURLToPath } from "node:url";
import type { Client, MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { closedLoop, type Load } from "./closed-loop.js";
import { answerQuestions } from "./question-loop.js";
import { call, clientOf } from "./unary-call.js";
import { nextText, VARIABLE } from "./workload.js";

/** `address` is the server's; a value takes so many bytes. */
type Question = Load & { readonly address: string; readonly valueBytes: number };

type Put = MethodDefinition<
  { readonly key: Buffer; readonly value: Buffer },
  { readonly header?: { readonly revision: string } }
>;

const proto = loadSync(fileURLToPath(new URL("./etcd.proto", import.meta.url)), { longs: String });
const put = (proto["etcdserverpb.KV"] as ServiceDefinition)["Put"] as Put;
const key = Buffer.from(VARIABLE);
let client: Client | undefined;

await answerQuestions<Question>(async (question) => {
  const { address, valueBytes } = question;
  client ??= clientOf(address);
  const one = client;
  return closedLoop(async () => {
    const { header } = await call(one, put, { key, value: Buffer.from(nextText(valueBytes)) });
    if (header === undefined) throw new Error("the answer is not that of a put");
  }, question);
});
