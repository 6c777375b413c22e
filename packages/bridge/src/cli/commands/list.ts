/** `snakepit-bridge list`: what there is. */
import type { Command } from "commander";
import type { SessionView, VariableView } from "../../client/index.js";
import type { TypeName } from "../../core/values/registry.js";
import { addAddress, typeOption, withClient } from "../bridge.js";
import { table } from "../table.js";
import { showValue } from "../values.js";
import { sessionToJson, showTtl, variableToJson } from "../views.js";

interface ListOptions {
  readonly address?: string;
  readonly glob?: string;
  readonly type?: TypeName;
  readonly json?: boolean;
}

export function addList(program: Command): void {
  const command = program
    .command("list")
    .summary("list sessions, or the variables of one")
    .description("Lists the variables of a session by name, or without a session all sessions by id.")
    .argument("[session]", "id of the session")
    .option(
      "--glob <glob>",
      "only names or ids that match: * any run of characters, ? one, \\ takes the next as it is",
    )
    .addOption(typeOption("only variables of this type"));
  addAddress(command).option("--json", "print an array with all there is to know").action(list);
}

async function list(session: string | undefined, options: ListOptions): Promise<void> {
  const { address, json = false, glob, type } = options;
  if (session === undefined && type !== undefined)
    throw new Error("--type needs a session: sessions have no type");
  const filter = { ...(glob === undefined ? {} : { glob }), ...(type === undefined ? {} : { type }) };
  const text = await withClient(address, async ({ sessions }) => {
    if (session === undefined) {
      const all = await sessions.listSessions(filter);
      return json ? toJson(all.map(sessionToJson)) : sessionTable(all);
    }
    const all = await sessions.listVariables(session, filter);
    return json ? toJson(all.map(variableToJson)) : variableTable(all);
  });
  process.stdout.write(text);
}

function toJson(items: readonly object[]): string {
  return `${JSON.stringify(items, undefined, 2)}\n`;
}

function sessionTable(sessions: readonly SessionView[]): string {
  return table(
    ["SESSION", "VARIABLES", "REVISION", "TTL", "LAST USED"],
    sessions.map(({ id, variableCount, revision, ttlMs, lastAccessedAt }) => [
      id,
      String(variableCount),
      String(revision),
      showTtl(ttlMs),
      lastAccessedAt.toISOString(),
    ]),
  );
}

function variableTable(variables: readonly VariableView[]): string {
  return table(
    ["NAME", "TYPE", "VALUE", "VERSION", "SOURCE", "UPDATED"],
    variables.map(({ name, type, provisional, value, version, source, updatedAt }) => [
      name,
      provisional ? `${type} (inferred)` : type,
      showValue(value),
      String(version),
      source,
      updatedAt.toISOString(),
    ]),
  );
}
