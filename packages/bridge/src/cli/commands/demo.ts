/** `snakepit-bridge demo`: shows a host and a worker that share variables. */
import type { Command } from "commander";
import { FILE, runDemo, SESSION_ID, testDemo } from "../../demo/demo.js";

export function addDemo(program: Command): void {
  program
    .command("demo")
    .summary("watch a TypeScript host and a Python worker share variables")
    .description(
      "A TypeScript host and a Python worker share typed variables. The host changes learning_rate, target and paused; the\n" +
        "worker reads them before each step of an optimisation and writes step, loss, x and y. Ctrl-C ends both; started\n" +
        `again, they go on where they were, from the file ./${FILE}. A worker that is killed is started again. Where\n` +
        "Python has no snakepit_bridge, the worker is one in TypeScript.\n\n" +
        "While it runs you can look and join in from another terminal, with the address that it prints:\n" +
        `  npx snakepit-bridge list ${SESSION_ID} --address HOST:PORT\n` +
        `  npx snakepit-bridge set ${SESSION_ID} learning_rate=0.2 --address HOST:PORT`,
    )
    .option("--once", "test both directions and a restart, print a table, and end")
    .action(({ once }: { readonly once?: boolean }) => (once ? testDemo() : runDemo()));
}
