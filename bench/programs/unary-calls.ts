/** The calls that load and prepare a server, made with plain grpc-js. */
import {
  create,
  type DescMessage,
  type DescMethodUnary,
  type MessageInitShape,
  type MessageShape,
} from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import { VariableType } from "../../packages/bridge/dist/wire/gen/snakepit/bridge/v1/values_pb.js";
import {
  createSession,
  encode,
  getVariable,
  grpcMethod,
  registerVariable,
  setVariable,
} from "./unary-methods.js";
import { MAX, METADATA, MIN, nextValue, SESSION, VARIABLE } from "./workload.js";

const SOURCE = "typescript";

/** A unary RPC as a function of a client and a request. */
function unary<I extends DescMessage, O extends DescMessage>(method: DescMethodUnary<I, O>) {
  const { path, requestSerialize, responseDeserialize } = grpcMethod(method);
  return (client: Client, request: MessageInitShape<I>) =>
    new Promise<MessageShape<O>>((resolve, reject) => {
      const message = create(method.input, request);
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, message, (error, answer) => {
        if (error !== null) reject(error);
        else if (answer === undefined) reject(new Error(`${path} answered nothing`));
        else resolve(answer);
      });
    });
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

/** Makes the variable on a bridge, and answers what the bridge answers to a get and a set, in base64. */
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
  const getAnswer = encode(getVariable.output, await get(client)).toString("base64");
  return { getAnswer, setAnswer };
}

/** The answers of a bridge, in base64. */
export interface Prepared {
  readonly getAnswer: string;
  readonly setAnswer: string;
}

/** A client of its own connection. */
export function clientOf(address: string): Client {
  return new Client(address, credentials.createInsecure());
}
