/** Types and constraints: nothing is coerced or rounded. Start a bridge first, as for 01-hello.ts. */
import { BatchError, BridgeError, connect, type VariableValue } from "snakepit-bridge";

const client = connect();
// Without definitions the compiler lets everything through, so that the bridge can show what it refuses.
const session = await client.session("types-typescript", undefined, { ttlMs: 60_000 });
await session.register("threshold", "float", 0.5, { constraints: { min: 0, max: 1 } });
await session.register("batch_size", "integer", 32, { constraints: { min: 8, max: 512, step: 8 } });
await session.register("model", "string", "small-1", { constraints: { pattern: "^[a-z]+-[0-9]+$" } });
await session.register("paused", "boolean", false);
await session.register("phase", "choice", "warm-up", { constraints: { choices: ["warm-up", "main"] } });
await session.register("plan", "json", { steps: [] });

async function attempt(name: string, value: VariableValue): Promise<void> {
  try {
    await session.set(name, value);
    console.log(`${name} =`, await session.get(name));
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    console.log(`${name}: ${error.reason}: ${error.message}`);
  }
}

await attempt("threshold", 1n); // a whole number that a float holds exactly
await attempt("batch_size", 20);
await attempt("model", "Large 2");
await attempt("paused", 1);
await attempt("phase", "finished");
await attempt("plan", { steps: ["load", "train"], rate: 0.5 });

// 64-bit integers and special floats arrive as they are.
await session.setMany({ counter: 9223372036854775807n, ratio: Number.NEGATIVE_INFINITY });
console.log(await session.getMany(["counter", "ratio"]));

// A refused batch names every item at fault, and applies none.
try {
  await session.setMany({ threshold: 2, batch_size: 7, paused: true });
} catch (error) {
  if (!(error instanceof BatchError)) throw error;
  for (const [name, { message }] of error.errors) console.log(`refused: ${name}: ${message}`);
}
console.log("paused is still", await session.get("paused"));
await client.sessions.deleteSession("types-typescript");
await client.close();

// Prints:
//   threshold = 1
//   batch_size: CONSTRAINT_VIOLATED: value 20 is not a multiple of step 8 from minimum 8
//   model: CONSTRAINT_VIOLATED: value does not match pattern ^[a-z]+-[0-9]+$
//   paused: TYPE_MISMATCH: must be a boolean
//   phase: CONSTRAINT_VIOLATED: value "finished" is not one of "warm-up", "main"
//   plan = { steps: [ 'load', 'train' ], rate: 0.5 }
//   { counter: 9223372036854775807n, ratio: -Infinity }
//   refused: threshold: value 2 is above maximum 1
//   refused: batch_size: value 7 is below minimum 8
//   paused is still false
