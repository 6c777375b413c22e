// `npm start`: set up, then the demo of the package. It runs in this very process, so its signals, its terminal and its
// exit code need no forwarding.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root } from "./process.mjs";
import { setUp } from "./setup.mjs";

const program = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");

await main(setUp);
process.argv.splice(1, 1, program, "demo");
await import(pathToFileURL(program).href);
