/** A unary call with plain grpc-js. */
import { Client, credentials, type MethodDefinition } from "@grpc/grpc-js";

/** A client of its own connection. */
export function clientOf(address: string): Client {
  return new Client(address, credentials.createInsecure());
}

/** Sends a request and gives the answer. */
export function call<I, O>(client: Client, method: MethodDefinition<I, O>, request: I): Promise<O> {
  const { path, requestSerialize, responseDeserialize } = method;
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
      if (error !== null) reject(error);
      else if (answer === undefined) reject(new Error(`${path} answered nothing`));
      else resolve(answer);
    });
  });
}
