/** `snakepit-bridge types`: what a program in another language needs to know the variables by name and type. */
import { basename } from "node:path";
import type { Command } from "commander";
import { quoteName } from "../../core/names.js";
import { addAddress, withClient } from "../bridge.js";
import { type DefinedVariable, definedBy, definedIn } from "../defined.js";
import { loadDefinitions } from "../definitions-file.js";
import { MARK, pythonModule } from "../python/module.js";
import { writeOwnFile } from "../written-file.js";

interface TypesOptions {
  readonly python: string;
  readonly session?: string;
  readonly address?: string;
}

export function addTypes(program: Command): void {
  const command = program
    .command("types")
    .summary("write the variables' names and types down for Python")
    .description(
      "Writes a Python module with a dataclass of the variables, the types of their names and of their values, and sessions\n" +
        "that know them, so that mypy and pyright refuse what the bridge would. Python programs that use it are told at the start\n" +
        "if the session has other variables. The variables are those that a module defines, which is run to find out, or\n" +
        "those of a session. The same variables give the same text.",
    )
    .argument(
      "[file]",
      "a JavaScript module that exports what defineVariables made; of TypeScript the compiled file",
    )
    .option("--session <id>", "take the variables of this session, instead of a file's")
    .requiredOption("--python <file>", "the Python module to write, or - for standard output");
  addAddress(command).action((file: string | undefined, options: TypesOptions) =>
    types(command, file, options),
  );
}

async function types(command: Command, file: string | undefined, options: TypesOptions): Promise<void> {
  const { python, session, address } = options;
  const text =
    file !== undefined && session === undefined
      ? pythonModule(definedIn(await loadDefinitions(file)), quoteName(basename(file)))
      : file === undefined && session !== undefined
        ? pythonModule(await read(session, address), `session ${quoteName(session)}`)
        : command.error("error: name a file or a --session, one of them");
  if (python === "-") {
    process.stdout.write(text);
    return;
  }
  await writeOwnFile(python, text, MARK);
  process.stdout.write(`${python}: written\n`);
}

async function read(session: string, address: string | undefined): Promise<readonly DefinedVariable[]> {
  const variables = await withClient(address, ({ sessions }) => sessions.listVariables(session));
  if (variables.length === 0) throw new Error(`session ${quoteName(session)} has no variables`);
  return definedBy(variables);
}
