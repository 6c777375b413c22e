/** Reads the rules and the vectors of `spec/`, and finds the tagged tests. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, extname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** Anything JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A rule of `spec/README.md`. */
export interface Rule {
  readonly id: string;
  readonly planned: boolean;
}

interface CaseHead {
  readonly id: string;
  readonly rule: string;
  readonly verdict: "accept" | "refuse";
  readonly why: string;
}

/** One command and what its reply has to match, or a move of the clock. */
export type Step =
  | { readonly command: JsonObject; readonly reply: JsonObject }
  | { readonly advanceMs: number };

export interface EngineCase extends CaseHead {
  readonly needs?: "manual-clock";
  readonly steps: readonly Step[];
}

export interface ClientCase extends CaseHead {
  readonly op: "encode" | "decode" | "error" | "fingerprint" | "replica" | "ttl";
  readonly input: Json;
  readonly expect: JsonObject;
}

/** One file of vectors. */
export interface VectorFile<C> {
  /** Relative to `spec/vectors`. */
  readonly path: string;
  readonly topic: string;
  readonly cases: readonly C[];
}

/** The rules of `spec/README.md`, in their order. */
export function readRules(): Rule[] {
  const text = readFileSync(join(root, "spec", "README.md"), "utf8");
  return [...text.matchAll(/^### ((?:ORD|VAL|DOOR)-\d+) .*$/gm)].map(([line, id]) => ({
    id: id as string,
    planned: line.endsWith(" (planned)"),
  }));
}

/** Every JSON file under `spec/vectors`, by its path there. */
export function vectorPaths(): string[] {
  const folder = join(root, "spec", "vectors");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => extname(name) === ".json")
    .map((name) => name.replaceAll(sep, "/"))
    .sort();
}

/** The content of a JSON file under `spec`. */
export function readSpec(path: string): { text: string; json: JsonObject } {
  const text = readFileSync(join(root, "spec", path), "utf8");
  return { text, json: JSON.parse(text) as JsonObject };
}

/** A kind of value that only one language has (`spec/vector-forms.json`). */
export interface Form {
  readonly tag: string;
  readonly only: "python" | "typescript";
  readonly why: string;
}

/** The forms that a case of clients holds and that only one language has. Without any, every client runs it. */
export function formsIn(input: Json): readonly Form[] {
  const tags = new Set(tagsIn(input));
  return FORMS.filter(({ tag }) => tags.has(tag));
}

const FORMS = (readSpec("vector-forms.json").json as unknown as { readonly forms: readonly Form[] }).forms;

/** The names of tags, and of what looks like one. */
function tagsIn(value: Json): string[] {
  if (typeof value !== "object" || value === null) return [];
  if (Array.isArray(value)) return value.flatMap(tagsIn);
  return Object.entries(value).flatMap(([key, part]) => [key, ...tagsIn(part)]);
}

/** The vector files of one kind. */
export function readVectors(kind: "engine"): VectorFile<EngineCase>[];
export function readVectors(kind: "client"): VectorFile<ClientCase>[];
export function readVectors(kind: string): VectorFile<unknown>[] {
  return vectorPaths()
    .filter((path) => path.startsWith(`${kind}/`))
    .map((path) => {
      const { topic, cases } = readSpec(`vectors/${path}`).json as unknown as VectorFile<unknown>;
      return { path, topic, cases };
    });
}

/** A tag such as `[ORD-16 accepts]`, in a test. */
export interface Tag {
  readonly rule: string;
  readonly verdict: "accept" | "refuse";
  /** Where it stands, as `path:line`. */
  readonly place: string;
}

const TAG = /\[((?:ORD|VAL|DOOR)-\d+) (accept|refuse)s\]/g;
const SKIPPED_FOLDERS = new Set(["node_modules", "dist", "gen", "_gen", ".venv", "__pycache__"]);

/** The tags of all tests: in TypeScript in titles, in Python anywhere in a test file. */
export function readTags(): Tag[] {
  return ["packages", "tests", "python/tests"].flatMap((folder) =>
    testFiles(join(root, folder)).flatMap((path) => tagsOf(path)),
  );
}

function tagsOf(path: string): Tag[] {
  const inTitles = extname(path) === ".ts";
  return readFileSync(path, "utf8")
    .split("\n")
    .flatMap((line, i) =>
      [...line.matchAll(TAG)]
        .filter(({ index }) => !inTitles || /["'`]/.test(line.slice(0, index)))
        .map(([, rule, verdict]) => ({
          rule: rule as string,
          verdict: verdict as Tag["verdict"],
          place: `${relative(root, path).replaceAll(sep, "/")}:${i + 1}`,
        })),
    );
}

function testFiles(folder: string): string[] {
  let entries: ReturnType<typeof listFolder>;
  try {
    entries = listFolder(folder);
  } catch {
    return [];
  }
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return SKIPPED_FOLDERS.has(entry.name) ? [] : testFiles(path);
    return /\.test\.ts$|\.contract\.ts$|\.py$/.test(entry.name) ? [path] : [];
  });
}

function listFolder(folder: string) {
  return readdirSync(folder, { withFileTypes: true });
}
