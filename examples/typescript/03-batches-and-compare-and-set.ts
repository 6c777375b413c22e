/** Batches and compare-and-set: nobody sees half a change, and no change is lost. Start a bridge first, as for 01-hello.ts. */
import { BatchError, ConflictError, connect, defineVariables, integer, string } from "snakepit-bridge";

const variables = defineVariables({
  left: integer(50, { min: 0, max: 100 }),
  right: integer(50, { min: 0, max: 100 }),
  owner: string("nobody"),
  total: integer(0),
});
const client = connect();
const session = await client.session("batches-typescript", variables, { ttlMs: 60_000 });

async function show(what: string): Promise<void> {
  const { left, right } = await session.getMany(["left", "right"]);
  console.log(`${what}: left ${left}, right ${right}`);
}

// What belongs together is set together. Every reader sees both or neither.
await session.setMany({ left: 70, right: 30 });

// One bad item, and nothing is set. The error names all that are at fault.
try {
  await session.setMany({ left: 60, right: 140 });
} catch (error) {
  if (!(error instanceof BatchError)) throw error;
  console.log("right:", error.errors.get("right")?.message);
}
await show("refused");

// Where items do not belong together, those that can be set are, and each is told what became of it.
const results = await session.setMany({ left: 60, right: 140 }, { atomic: false });
for (const [name, result] of results) console.log(`${name}: ${result instanceof Error ? "refused" : "set"}`);
await show("best effort");

// Two have read the same version. The one who sets first wins, and the other is told instead of overwriting it.
const { version } = await session.read("owner");
await session.set("owner", "first", { expectedVersion: version });
try {
  await session.set("owner", "second", { expectedVersion: version });
} catch (error) {
  if (!(error instanceof ConflictError)) throw error;
  console.log(`owner was at version ${error.expected} and is at ${error.current}`);
}

// `update` reads, computes and sets, and begins anew whenever somebody else came in between.
await Promise.all([1, 2, 3, 4, 5].map((step) => session.update("total", (total) => total + step)));
console.log("total:", await session.get("total"));
await client.sessions.deleteSession(session.id);
await client.close();

// Prints:
//   right: value 140 is above maximum 100
//   refused: left 70, right 30
//   left: set
//   right: refused
//   best effort: left 60, right 30
//   owner was at version 1 and is at 2
//   total: 15
