/**
 * A proxy in a process of its own, for tests in any language: `proxy-process.ts PORT`. It prints where it listens. Each line that
 * it reads is an order as JSON, {"do": "lay", "name", "direction", "toxic"}, {"do": "lift", "name"}, {"do": "cut"} or
 * {"do": "count"}, and is answered by a line with the connections and the cuts so far. It ends with its input.
 */
import { createInterface } from "node:readline";
import { ToxicProxy } from "./toxic-proxy.js";
import type { Direction, Toxic } from "./toxics.js";

type Order =
  | {
      readonly do: "lay";
      readonly name: string;
      readonly direction: Direction;
      readonly toxic: Toxic;
    }
  | { readonly do: "lift"; readonly name: string }
  | { readonly do: "cut" | "count" };

const proxy = await ToxicProxy.start(Number(process.argv[2]));
console.log(`listening on ${proxy.address}`);
for await (const line of createInterface(process.stdin)) {
  const order = JSON.parse(line) as Order;
  if (order.do === "lay") proxy.lay(order.name, order.direction, order.toxic);
  else if (order.do === "lift") proxy.lift(order.name);
  else if (order.do === "cut") proxy.cut();
  const { connections, cuts, open } = proxy;
  console.log(JSON.stringify({ connections, cuts, open }));
}
await proxy.close();
