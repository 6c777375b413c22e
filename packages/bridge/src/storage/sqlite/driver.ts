/**
 * SQLite through the API of `node:sqlite`. Where Node has none, or one that is too old, the package `@photostructure/sqlite`,
 * which has the same API, takes its place. Neither needs an install script.
 */

/** The part of a prepared statement that is used here. */
export interface Statement {
  run(...parameters: Parameter[]): { readonly changes: number | bigint };
  get(...parameters: Parameter[]): Row | undefined;
  all(...parameters: Parameter[]): Row[];
  iterate(...parameters: Parameter[]): IterableIterator<Row>;
  setReadBigInts(enabled: boolean): void;
}

/** The part of a database that is used here. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export type Parameter = null | number | bigint | string | Uint8Array;
export type Row = Record<string, Parameter>;

interface Driver {
  readonly DatabaseSync: new (path: string, options?: { readOnly?: boolean; timeout?: number }) => Database;
}

/** Opens a database file. Whoever holds statements of it has to hold it too: it closes when it is collected. */
export async function openDatabase(
  path: string,
  options: { readonly readOnly?: boolean; readonly timeout?: number } = {},
): Promise<Database> {
  const { DatabaseSync } = await loadDriver();
  return new DatabaseSync(path, { ...options });
}

/** Whether there is an SQLite to open files with. */
export async function hasSqlite(): Promise<boolean> {
  return loadDriver().then(
    () => true,
    () => false,
  );
}

async function loadDriver(): Promise<Driver> {
  const builtIn = loadBuiltIn();
  if (builtIn !== undefined) return builtIn;
  const fallback: string = "@photostructure/sqlite";
  try {
    return (await import(fallback)) as Driver;
  } catch (cause) {
    throw new Error(
      "there is no SQLite that is new enough: run `npm install @photostructure/sqlite@1`, or use the newest Node 22 or 24",
      { cause },
    );
  }
}

/** Before this version two connections could corrupt the log of a file in rare cases. */
const OLDEST_SQLITE = [3, 51, 3];

/** True of a version of SQLite that is too old to be trusted with a file. */
export function isTooOld(version: string): boolean {
  const parts = version.split(".").map(Number);
  const at = parts.findIndex((part, i) => part !== OLDEST_SQLITE[i]);
  return at >= 0 && (parts[at] as number) < (OLDEST_SQLITE[at] ?? 0);
}

function loadBuiltIn(): Driver | undefined {
  if (isTooOld(process.versions.sqlite ?? "0")) return undefined;
  const { emitWarning } = process;
  // Node 22 calls its SQLite experimental, on standard error, where who reads expects what went wrong.
  process.emitWarning = () => {};
  try {
    return process.getBuiltinModule("node:sqlite") as Driver | undefined;
  } finally {
    process.emitWarning = emitWarning;
  }
}
