/** What happens when the packages of the two sides are not of one version: copies of both with another number meet ours. */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startBridge, VersionMismatchError } from "snakepit-bridge";
import { startWorker, WorkerError } from "snakepit-bridge/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generationOf } from "../../packages/bridge/src/core/versions.js";
import { VERSION } from "../../packages/bridge/src/version.js";
import { endAll, python, root, run, runPython, TestProcess } from "../e2e/processes.js";

/** Of another generation, and of ours. */
const OTHER = "7.0.0";
const generation = generationOf(VERSION);
const PATCHED = VERSION.replace(/\d+$/, "999");

let folder: string;
/** Where the bridge of the other generation is. */
let strange: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "snakepit-versions-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  for (const version of [OTHER, PATCHED]) {
    const [npm, pip] = [npmOf(version), pipOf(version)];
    for (const part of ["bin", "dist", "src", "package.json"])
      cpSync(join(root, "packages", "bridge", part), join(npm, part), { recursive: true });
    renumber(join(npm, "package.json"), version);
    renumber(join(npm, "dist", "version.js"), version);
    cpSync(join(root, "python", "src"), pip, { recursive: true });
    renumber(join(pip, "snakepit_bridge", "_version.py"), version);
  }
  strange = await serve(OTHER);
});
afterAll(async () => {
  await endAll();
  rmSync(folder, { recursive: true });
});

const npmOf = (version: string): string => join(folder, `npm-${version}`);
const pipOf = (version: string): string => join(folder, `pip-${version}`);

function renumber(file: string, version: string): void {
  const text = readFileSync(file, "utf8");
  expect(text).toContain(`"${VERSION}"`);
  writeFileSync(file, text.replace(`"${VERSION}"`, `"${version}"`));
}

/** The bridge of another version, in a process of its own. */
async function serve(version: string): Promise<string> {
  const program = join(npmOf(version), "bin", "snakepit-bridge.js");
  const args = [program, "serve", "--port", "0", "--store", "memory", "--log-level", "error"];
  const [, address = ""] = await new TestProcess(process.execPath, args).until(/ on (127\.0\.0\.1:\d+)/);
  return address;
}

/** What a client in Python, of its own kind and version, is told. */
async function askPython(version: string, address: string, kind: "asyncio" | "blocking" | "given channel") {
  const program = `
import asyncio, sys, grpc, snakepit_bridge
from snakepit_bridge import BridgeError, SessionContext, sync
kind, address = sys.argv[1:]
async def awaited():
    async with SessionContext("s", address=address) as session:
        return await session.set_variable("x", 1)
def blocking(**where):
    with sync.SessionContext("s", **where) as session:
        return session.set_variable("x", 1)
try:
    if kind == "asyncio":
        asyncio.run(awaited())
    elif kind == "blocking":
        blocking(address=address)
    else:
        with grpc.insecure_channel(address) as channel:
            blocking(channel=channel)
    print(snakepit_bridge.__version__, "accepted")
except BridgeError as error:
    print(snakepit_bridge.__version__, type(error).__name__, error.reason, error)
`;
  const file = join(folder, "client.py");
  writeFileSync(file, program);
  const { stdout, stderr } = await runPython(file, [kind, address], { PYTHONPATH: pipOf(version) });
  expect(stderr).toBe("");
  return stdout;
}

const refusal = (client: string, bridge: string): string =>
  `VersionMismatchError VERSION_MISMATCH the client in Python is version ${client} and the bridge is version ${bridge}, ` +
  "which do not work together: ";

describe("a client in Python", () => {
  test.each(["asyncio", "blocking", "given channel"] as const)(
    "[DOOR-9 refuses] of another generation is told both versions, and what to do: %s",
    async (kind) => {
      const bridge = await startBridge({ port: 0 });
      expect(await askPython(OTHER, bridge.address, kind)).toBe(
        `${OTHER} ${refusal(OTHER, VERSION)}\`pip install "snakepit-bridge==${generation}.*"\` changes the client in Python, or ` +
          "`npm install snakepit-bridge@7` changes the bridge\n",
      );
      expect(await bridge.sessions.sessionExists("s")).toBe(false);
      await bridge.close();
    },
  );

  test("[DOOR-9 accepts] of our generation works", async () => {
    const bridge = await startBridge({ port: 0 });
    expect(await askPython(PATCHED, bridge.address, "blocking")).toBe(`${PATCHED} accepted\n`);
    await bridge.close();
  });

  test("is told the same by a bridge of another generation", async () => {
    const file = join(folder, "ours.py");
    writeFileSync(
      file,
      'import sys\nfrom snakepit_bridge.sync import SessionContext\nSessionContext("s", address=sys.argv[1])["x"] = 1\n',
    );
    const { code, stderr } = await run(python, [file, strange]);
    expect(stderr).toContain(`the client in Python is version ${VERSION} and the bridge is version ${OTHER}`);
    expect(code).toBe(1);
  });
});

describe("a client in TypeScript", () => {
  test("of another generation is told both versions, but may ping", async () => {
    const bridge = await startBridge({ port: 0 });
    const { connect, VersionMismatchError: Theirs } = (await import(
      join(npmOf(OTHER), "dist", "index.js")
    )) as typeof import("snakepit-bridge");
    const client = connect(bridge.address);
    expect(await client.ping()).toMatchObject({ serverVersion: VERSION });
    const error = await client.session("s").catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Theirs);
    expect(error).toMatchObject({
      reason: "VERSION_MISMATCH",
      retryable: false,
      message: expect.stringContaining(
        `the client in TypeScript is version ${OTHER} and the bridge is version ${VERSION}`,
      ),
    });
    await client.close();
    await bridge.close();
  });

  test("is refused by a bridge of another generation, and works with one of ours", async () => {
    const { connect } = await import("snakepit-bridge");
    const [other, patched] = [connect(strange), connect(await serve(PATCHED))];
    await expect(other.session("s")).rejects.toThrow(VersionMismatchError);
    await (await patched.session("s")).set("x", 1);
    await Promise.all([other.close(), patched.close()]);
  });

  test("the command line says it in one line", async () => {
    const program = join(root, "packages", "bridge", "bin", "snakepit-bridge.js");
    const { code, stderr } = await run(process.execPath, [program, "list", "--address", strange]);
    expect(stderr).toMatch(/^error: the client in TypeScript is version .* changes the bridge\n$/);
    expect(code).toBe(1);
  });
});

describe("a worker", () => {
  const script = "from snakepit_bridge import worker\nworker.ready()\ninput()\n";
  const start = (version: string) => {
    writeFileSync(join(folder, "worker.py"), script);
    const env = { PYTHONPATH: pipOf(version) };
    return startWorker({ script: "worker.py", cwd: folder, python, env, onLog: () => {} });
  };

  test("of another generation is ended, with both versions named", async () => {
    const error = await start(OTHER).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(WorkerError);
    expect(error).toMatchObject({
      reason: "VERSION_MISMATCH",
      message:
        `the snakepit_bridge of the worker is version ${OTHER} and the snakepit-bridge of the host is version ${VERSION}, ` +
        `which do not work together: \`${python} -m pip install "snakepit-bridge==${generation}.*"\` changes the snakepit_bridge of ` +
        "the worker, or `npm install snakepit-bridge@7` changes the snakepit-bridge of the host",
    });
  });

  test("of our generation works", async () => {
    const worker = await start(PATCHED);
    expect(worker.state.kind).toBe("ready");
    await worker.close();
  });
});

describe("the number", () => {
  test("is the same in every file that has one", () => {
    const version = (file: string): string =>
      (JSON.parse(readFileSync(join(root, file), "utf8")) as { version: string }).version;
    expect(version("packages/bridge/package.json")).toBe(VERSION);
    const text = readFileSync(join(root, "python/src/snakepit_bridge/_version.py"), "utf8");
    expect(/__version__ = "(.*)"/.exec(text)?.[1]).toBe(VERSION);
  });
});
