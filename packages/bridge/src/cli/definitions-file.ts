/** Definitions in a module: what `defineVariables` made and the module exports. */
import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Definitions } from "../client/definitions.js";

const HOW = "write `export default defineVariables({ … })`";

/** Runs a module, and answers the definitions that it exports: as default, or else as the only export of the kind. */
export async function loadDefinitions(file: string): Promise<Definitions> {
  const exported = unwrapped(await load(file));
  if (isDefinitions(exported["default"])) return exported["default"];
  const named = Object.entries(exported).filter(([, value]) => isDefinitions(value));
  const [first, ...others] = new Set(named.map(([, value]) => value));
  if (!isDefinitions(first)) {
    throw new Error(`${file} exports nothing that defineVariables made, with at least one variable: ${HOW}`);
  }
  if (others.length === 0) return first;
  const names = named.map(([name]) => name).join(", ");
  throw new Error(
    `${file} exports several that defineVariables made (${names}): export one of them as default`,
  );
}

type Exports = Readonly<Record<string, unknown>>;

/** A module that was compiled to CommonJS has all its exports, its default too, in the default of what is imported. */
function unwrapped(exported: Exports): Exports {
  const inner = exported["default"];
  return typeof inner === "object" && inner !== null && "__esModule" in inner ? (inner as Exports) : exported;
}

async function load(file: string): Promise<Exports> {
  const path = resolve(file);
  if (!existsSync(path)) throw new Error(`${file} does not exist`);
  try {
    return await import(pathToFileURL(path).href);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_UNKNOWN_FILE_EXTENSION" || code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX") {
      throw new Error(
        `Node ${process.version} cannot run ${file}, a file of the kind ${extname(file)}: compile it and name the .js ` +
          `file, or install tsx and put NODE_OPTIONS="--import tsx" in front of this command`,
        { cause: error },
      );
    }
    const message = error instanceof Error ? error.message : String(error);
    throw new Error(`${file} cannot be run: ${message}`, { cause: error });
  }
}

/**
 * True for what `defineVariables` made. It is known by its form: the module may have another copy of this package than
 * the command. Without a variable it could be anything.
 */
function isDefinitions(value: unknown): value is Definitions {
  if (typeof value !== "object" || value === null) return false;
  const variables: unknown[] = Object.values(value);
  return variables.length > 0 && variables.every(isDefinition);
}

function isDefinition(value: unknown): boolean {
  if (typeof value !== "object" || value === null || !("initialValue" in value)) return false;
  const { type, constraints, metadata } = value as Readonly<Record<string, unknown>>;
  return (
    typeof type === "string" &&
    typeof constraints === "object" &&
    constraints !== null &&
    metadata instanceof Map
  );
}
