/** The calls that load and prepare a server, made with plain grpc-js. */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import type { Client } from "@grpc/grpc-js";
import {
  type Variable,
  VariableSchema,
  VariableType,
} from "../../packages/bridge/dist/wire/gen/snakepit/bridge/v1/values_pb.js";
import { call } from "./unary-call.js";
import {
  createSession,
  encode,
  getVariable,
  grpcMethod,
  registerVariable,
  setVariable,
  watch,
} from "./unary-methods.js";
import { MAX, METADATA, MIN, nextValue, SESSION, VARIABLE } from "./workload.js";

const SOURCE = "typescript";

/** A unary RPC as a function of a client and a request. */
function unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) {
  const definition = grpcMethod(method);
  return (client: Client, request: MessageInitShape<I>) =>
    call(client, definition, create(method.input, request));
}

const callGet = unary(getVariable);
const callSet = unary(setVariable);

/** Reads the variable. */
export async function get(client: Client) {
  const answer = await callGet(client, { sessionId: SESSION, identifier: VARIABLE });
  if (answer.variable?.name !== VARIABLE) throw new Error("the answer is not the variable asked for");
  return answer;
}

/** Sets the variable to another value. */
export async function set(client: Client) {
  const value = { kind: { case: "float", value: nextValue() } } as const;
  const item = { identifier: VARIABLE, value };
  const answer = await callSet(client, { sessionId: SESSION, item, source: SOURCE });
  if (answer.item === undefined) throw new Error("the answer is not that of a set");
  return answer;
}

/** Makes the variable on a bridge, and tells how large it is and what the bridge answers. */
export async function prepare(client: Client): Promise<Prepared> {
  await unary(createSession)(client, { sessionId: SESSION, source: SOURCE });
  const bound = (value: number) => [{ kind: { case: "float", value } } as const];
  const definition = {
    name: VARIABLE,
    type: VariableType.FLOAT,
    initialValue: { kind: { case: "float", value: MIN } } as const,
    constraints: [
      { key: "min", values: bound(MIN) },
      { key: "max", values: bound(MAX) },
    ],
    metadata: METADATA.map(([key, value]) => ({ key, value })),
  };
  await unary(registerVariable)(client, { sessionId: SESSION, definition, source: SOURCE });
  const setAnswer = encode(setVariable.output, await set(client)).toString("base64");
  const read = await get(client);
  const getAnswer = encode(getVariable.output, read).toString("base64");
  const variableBytes = toBinary(VariableSchema, read.variable as Variable).length;
  return { getAnswer, setAnswer, variableBytes, eventBytes: await lengthOfEvent(client) };
}

/** Sets the variable, and gives the length of what a watcher is told of that. */
function lengthOfEvent(client: Client): Promise<number> {
  const { path, requestSerialize } = grpcMethod(watch);
  const request = create(watch.input, { sessionId: SESSION });
  return new Promise((resolve, reject) => {
    const told = client.makeServerStreamRequest(path, requestSerialize, ({ length }) => length, request);
    let messages = 0;
    told.on("data", (length: number) => {
      // The first message is where it begins.
      if (++messages === 1) return void set(client).catch(reject);
      told.cancel();
      resolve(length);
    });
    told.on("error", reject);
  });
}

/** What is known of a bridge that has the variable. */
export interface Prepared {
  /** Its answers, in base64. */
  readonly getAnswer: string;
  readonly setAnswer: string;
  /** The variable as it travels, and what a watcher is told of a set of it. */
  readonly variableBytes: number;
  readonly eventBytes: number;
}
