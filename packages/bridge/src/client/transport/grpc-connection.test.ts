import { Client, connectivityState, credentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { startSilentServer } from "./accidents.contract.js";
import { isConnected } from "./grpc-connection.js";

test("who waits for a client that is closed is told so, and does not have it connect again", async () => {
  const server = await startSilentServer();
  const client = new Client(server.address, credentials.createInsecure());
  const connecting = isConnected(client.getChannel());
  client.close();
  expect(await connecting).toBe(false);
  expect(client.getChannel().getConnectivityState(false)).toBe(connectivityState.SHUTDOWN);
  server.close();
});
