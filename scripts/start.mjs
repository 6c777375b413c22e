// `npm start`: set up, then the demo. The demo runs in this very process, so its signals, its terminal and its
// exit code need no forwarding.
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { main, root } from "./process.mjs";
import { setUp } from "./setup.mjs";

const host = join(root, "examples", "demo", "host.ts");

await main(setUp);
process.argv[1] = host;
const { register } = await import("tsx/esm/api");
register();
await import(pathToFileURL(host).href);
