/** The bridge that a command talks to. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Client, connect } from "../client/index.js";
import { defaultAddress } from "../client/transport/address.js";
import { GrpcTransport } from "../client/transport/grpc.js";
import type { Transport } from "../client/transport/transport.js";
import { TYPE_NAMES, type TypeName } from "../core/values/registry.js";

/** Adds the option that says where the bridge is. */
export function addAddress(command: Command): Command {
  return command.option(
    "--address <host:port>",
    "where the bridge is (default: SNAKEPIT_BRIDGE_ADDRESS, else 127.0.0.1:50051)",
  );
}

/** The option for a type, one of these. */
export function typeOption(description: string, types: readonly TypeName[] = TYPE_NAMES): Option {
  const names = types.join(", ");
  return new Option("--type <type>", `${description}: ${names}`).argParser((text) => {
    const type = types.find((name) => name === text);
    if (type !== undefined) return type;
    throw new InvalidArgumentError(`It has to be one of ${names}.`);
  });
}

/** Does something with a client, and closes it. */
export async function withClient<T>(
  address: string | undefined,
  act: (client: Client) => Promise<T>,
): Promise<T> {
  const client = connect(address);
  try {
    return await act(client);
  } finally {
    await client.close();
  }
}

/** The same below the client, where a command can say more than a program has to. */
export async function withTransport<T>(
  address: string | undefined,
  act: (transport: Transport) => Promise<T>,
): Promise<T> {
  const transport = new GrpcTransport(address ?? defaultAddress());
  try {
    return await act(transport);
  } finally {
    await transport.close();
  }
}
