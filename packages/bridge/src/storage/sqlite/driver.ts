/**
 * SQLite through the API of `node:sqlite`. Node 20 does not have it; there the package `@photostructure/sqlite`, which
 * has the same API, takes its place. Neither needs an install script.
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

async function loadDriver(): Promise<Driver> {
  const builtIn: string = "node:sqlite";
  try {
    return (await import(builtIn)) as Driver;
  } catch {
    // Node before 22.13.
  }
  const fallback: string = "@photostructure/sqlite";
  try {
    return (await import(fallback)) as Driver;
  } catch (cause) {
    throw new Error(
      "SQLite is not there: use Node 22.13 or later, or run `npm install @photostructure/sqlite@1`",
      {
        cause,
      },
    );
  }
}
