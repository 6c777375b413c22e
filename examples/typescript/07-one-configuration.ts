/** A configuration that is tuned while it is used, and requests that see one of them. Start a bridge first, as for 01-hello.ts. */
import { connect, defineVariables, float, string } from "snakepit-bridge";

const variables = defineVariables({
  prompt: string("Be brief."),
  temperature: float(0.2, { min: 0, max: 2 }),
});
const client = connect();
const session = await client.session("tuned-typescript", variables, { ttlMs: 60_000 });
await session.ready();

// Reading a property is a look into a copy that the bridge keeps current.
const current = session.variables;
console.log(current.prompt, current.temperature);

// What a request asks for may be tuned while it waits.
async function request(): Promise<string> {
  const before = `${current.prompt} at ${current.temperature}`;
  await session.setMany({ prompt: "Be bold.", temperature: current.temperature * 2 });
  return `${before}, then ${current.prompt} at ${current.temperature}`;
}
console.log(await request());

// In a pinned snapshot it has one configuration from its beginning to its end.
console.log(await session.withSnapshot(request));
console.log(current.prompt, current.temperature);

await client.sessions.deleteSession(session.id);
await client.close();

// Prints:
//   Be brief. 0.2
//   Be brief. at 0.2, then Be bold. at 0.4
//   Be bold. at 0.4, then Be bold. at 0.4
//   Be bold. 0.8
