/**
 * Hello: a session, typed variables, and a write that the other language would see.
 *
 * Start a bridge first (`npx snakepit-bridge serve`), then run this file. SNAKEPIT_BRIDGE_ADDRESS chooses another address
 * than 127.0.0.1:50051.
 */
import { connect, defineVariables, float, integer } from "snakepit-bridge";

// A type, a first value, and limits that hold for every writer in every language. The compiler knows them too.
const variables = defineVariables({
  temperature: float(0.7, { min: 0, max: 2 }),
  calls: integer(0),
});

const client = connect();
const { created } = await client.sessions.createSession("hello-typescript", { ttlMs: 60_000 });
console.log("created:", created);

const session = await client.session("hello-typescript", variables);
console.log("temperature:", await session.get("temperature"));

// An accepted write is one commit: the variable's version and the session's revision rise by one.
const written = await session.set("temperature", 0.9);
console.log(`temperature is at version ${written.version}, the session at revision ${written.revision}`);

// Counting happens on the server, so no increment is lost when several programs count.
await session.increment("calls");
console.log("calls:", (await session.increment("calls")).value);

// Several values in one commit, all or nothing.
const batch = await session.setMany({ temperature: 0.2, calls: 0 });
console.log(`both are at revision ${batch.revision}:`, await session.getMany(["temperature", "calls"]));

// A default answers only where there is no such variable.
const untyped = await client.session("hello-typescript");
console.log("top_p:", await untyped.get("top_p", { default: undefined }));

await client.sessions.deleteSession("hello-typescript");
await client.close();

// Prints:
//   created: true
//   temperature: 0.7
//   temperature is at version 2, the session at revision 3
//   calls: 2
//   both are at revision 6: { temperature: 0.2, calls: 0 }
//   top_p: undefined
