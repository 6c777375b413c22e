/**
 * The command line. Exit codes: 0 done; 1 it did not work, with one line on standard error that says why; 2 the
 * command line itself makes no sense.
 */
import { Command, CommanderError } from "commander";
import { BridgeError, type ErrorReason } from "../core/errors.js";
import { quoteName } from "../core/names.js";
import { VERSION } from "../version.js";
import { addBackup } from "./commands/backup.js";
import { addDemo } from "./commands/demo.js";
import { addGet } from "./commands/get.js";
import { addHistory } from "./commands/history.js";
import { addList } from "./commands/list.js";
import { addServe } from "./commands/serve.js";
import { addSet } from "./commands/set.js";
import { addTypes } from "./commands/types.js";
import { addVerify } from "./commands/verify.js";
import { addWatch } from "./commands/watch.js";

/** Does what a command line says, and answers the exit code. */
export async function runCommandLine(argv: readonly string[]): Promise<number> {
  const program = new Command("snakepit-bridge")
    .description("Typed variables, grouped in sessions, shared live between TypeScript and Python.")
    .version(VERSION)
    .showSuggestionAfterError(false)
    .exitOverride();
  const commands = [
    ...[addDemo, addServe, addGet, addSet, addList, addHistory, addWatch],
    ...[addTypes, addBackup, addVerify],
  ];
  for (const add of commands) add(program);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return codeOf(error);
    process.stderr.write(`error: ${about(error)}${oneLine(error)}\n`);
    return 1;
  }
}

/** commander has written its line already. */
function codeOf({ code, exitCode }: CommanderError): number {
  if (exitCode === 0) return 0;
  return code === "commander.invalidArgument" ? 1 : 2;
}

/** Of some refusals the sentence is about a value only; which variable it is stands beside it. */
function about(error: unknown): string {
  const named = error instanceof BridgeError && ABOUT_A_VALUE.has(error.reason);
  return named && error.identifier !== undefined ? `${quoteName(error.identifier)}: ` : "";
}

const ABOUT_A_VALUE: ReadonlySet<ErrorReason> = new Set<ErrorReason>([
  "CONSTRAINT_VIOLATED",
  "TYPE_MISMATCH",
  "VERSION_CONFLICT",
  "INVALID_VALUE",
  "TOO_LARGE",
]);

/** Messages may repeat what people wrote, line breaks and all. */
function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/[\r\n\u2028\u2029]+/g, " ");
}
