/** What a page gets along with `snakepit-bridge/web`, and how much it weighs. */
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { expect, test } from "vitest";
import * as client from "./client/index.js";
import { loadedBy } from "./testing/loaded-by.contract.js";
import * as web from "./web.js";

const MOST_BYTES = 45 * 1_024;

test("a page has what a program has", () => {
  expect(Object.keys(web).sort()).toEqual(Object.keys(client).sort());
  const { connect: one, ...ours } = web;
  const { connect: other, ...theirs } = client;
  expect(one).not.toBe(other);
  expect(ours).toEqual(theirs);
});

test("a page is brought nothing but the client, the domain and the wire", () => {
  const { files, packages } = loadedBy("web.ts");
  expect([...packages].filter((name) => !name.startsWith("@bufbuild/protobuf"))).toEqual([]);
  expect([...new Set([...files].map((file) => file.split("/")[0]))].sort()).toEqual([
    "client",
    "core",
    "version.ts",
    "web.ts",
    "wire",
  ]);
  expect([...files].filter((file) => /grpc|local|json\.ts$/.test(file))).toEqual(["client/json.ts"]);
});

/** The code that a page would load, of the package and of what it needs, or of the package alone. */
async function bundled(external: string[]): Promise<{ code: string; inputs: string[] }> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL("./web.ts", import.meta.url))],
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    minify: true,
    external,
    logLevel: "silent",
  });
  return { code: outputFiles[0]?.text ?? "", inputs: Object.keys(metafile.inputs) };
}

test("a page that uses it loads at most 45 KB", async () => {
  const { code, inputs } = await bundled([]);
  const bytes = gzipSync(code, { level: 9 }).length;
  console.log(`snakepit-bridge/web: ${code.length} bytes minified, ${bytes} with gzip`);
  expect(inputs.filter((file) => /re2js|grpc-js|connectrpc/.test(file))).toEqual([]);
  expect(bytes).toBeGreaterThan(10_000);
  expect(bytes).toBeLessThanOrEqual(MOST_BYTES);
});

test("it uses nothing that only Node has", async () => {
  const { code } = await bundled(["@bufbuild/protobuf"]);
  const words = /\bnode:|\brequire\(|\bBuffer\b|\bprocess\b|\bsetImmediate\b|\.unref\b|AsyncLocalStorage/g;
  expect(code.match(words) ?? []).toEqual([]);
});
