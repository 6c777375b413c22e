import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { definedIn } from "./defined.js";
import { loadDefinitions } from "./definitions-file.js";

// As `defineVariables` makes them, of any version of this package.
const MADE = `const made = (type) => ({ x: { type, initialValue: 0, constraints: {}, metadata: new Map() } });\n`;

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-definitions-"));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

let count = 0;
function file(text: string, extension = "mjs"): string {
  const path = join(folder, `variables-${count++}.${extension}`);
  writeFileSync(path, MADE + text);
  return path;
}

async function refusal(path: string): Promise<string> {
  const error = await loadDefinitions(path).then(
    () => new Error("it was accepted"),
    (error: Error) => error,
  );
  return error.message.replaceAll(path, "FILE");
}

test.each([
  ["as default", "export default made('float');"],
  [
    "under a name",
    "export const variables = made('float'); export const other = { a: 1 }; export const n = null;",
  ],
  ["under two names", "export const a = made('float'); export { a as b };"],
  ["as default beside others", "export default made('float'); export const other = made('string');"],
  [
    "beside a default that is something else",
    "export default () => {}; export const variables = made('float');",
  ],
  ["in CommonJS", "module.exports = made('float');", "cjs"],
  ["in CommonJS under a name", "exports.variables = made('float');", "cjs"],
  [
    "in what was compiled to CommonJS",
    "Object.defineProperty(exports, '__esModule', { value: true }); exports.default = made('float');",
    "cjs",
  ],
])("definitions are found %s", async (_, text, extension = "mjs") => {
  expect(await loadDefinitions(file(text, extension))).toMatchObject({ x: { type: "float" } });
});

test.each([
  ["nothing", ""],
  [
    "something else",
    "export default { x: 1 }; export const y = [made('float')]; export const z = { a: null };",
  ],
  ["definitions without a variable", "export default {};"],
])("a file that exports %s says what to write", async (_, text) => {
  expect(await refusal(file(text))).toBe(
    "FILE exports nothing that defineVariables made, with at least one variable: write `export default defineVariables({ … })`",
  );
});

test("several are named", async () => {
  expect(await refusal(file("export const a = made('float'); export const b = made('string');"))).toBe(
    "FILE exports several that defineVariables made (a, b): export one of them as default",
  );
});

test("what the file throws is passed on, and what is no program", async () => {
  expect(await refusal(file("throw new Error('no database');"))).toBe("FILE cannot be run: no database");
  expect(await refusal(file("throw 'text';"))).toBe("FILE cannot be run: text");
  expect(await refusal(join(folder, "absent.mjs"))).toBe("FILE does not exist");
});

test("definitions are judged as the bridge judges them", () => {
  const made = (type: string, constraints: object) =>
    ({ x: { type, initialValue: 0, constraints, metadata: new Map() } }) as never;
  expect(() => definedIn(made("float", { min: 2, max: 1 }))).toThrow('"x": min 2 is above max 1');
  expect(() => definedIn(made("float", { step: 1 }))).toThrow('"x": "step" does not apply to type float');
  expect(() => definedIn(made("float", { min: "1" }))).toThrow('"x": min: must be a number');
  expect(() => definedIn(made("float", { min: null }))).toThrow(/^"x": min: a value is a number/);
  expect(() => definedIn(made("tensor", {}))).toThrow('"x": unknown type "tensor"; known are float, ');
  expect(() => definedIn({ "": (made("float", {}) as { x: unknown }).x } as never)).toThrow(
    'variable name "" is empty',
  );
  expect(definedIn(made("float", { max: 1n, min: undefined }))).toEqual([
    {
      name: "x",
      type: "float",
      constraints: [{ key: "max", values: [{ kind: "float", value: 1 }] }],
      description: undefined,
    },
  ]);
});
