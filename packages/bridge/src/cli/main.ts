/** The program `snakepit-bridge`. */
import "./quiet-grpc.js";
import { runCommandLine } from "./program.js";

// Who reads only the beginning, as `head` does, wants no more and no complaint.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});

process.exitCode = await runCommandLine(process.argv);
