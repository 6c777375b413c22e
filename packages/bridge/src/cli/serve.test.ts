import { Client, credentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, test } from "vitest";
import { RawClient } from "../doors/grpc/raw-client.contract.js";
import { VERSION } from "../version.js";
import { SessionService } from "../wire/gen/snakepit/bridge/v1/sessions_pb.js";
import { type Running, run, serve, start } from "./run-cli.contract.js";

const { ping, createSession, getSession } = SessionService.method;
const running: Running[] = [];

afterEach(async () => {
  for (const { child, ended } of running.splice(0)) {
    child.kill("SIGKILL");
    await ended;
  }
});

async function served(...args: string[]) {
  const bridge = await serve(...args);
  running.push(bridge);
  return bridge;
}

describe("serve", () => {
  test("prints one line when it listens, and ends with 0 on SIGTERM", async () => {
    const { child, ended, line, address } = await served();
    expect(line).toMatch(/^snakepit-bridge listening on 127\.0\.0\.1:\d+ \(store: memory\)$/);
    const client = new RawClient(address);
    expect(await client.ok(ping, {})).toMatchObject({ serverVersion: VERSION });
    client.close();
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${line}\n` });
    expect(
      stderr
        .trimEnd()
        .split("\n")
        .map((text) => JSON.parse(text).msg),
    ).toEqual(["listening", "closing"]);
  });

  test("ends with 0 on SIGINT, and not when its standard input ends", async () => {
    const { child, ended, address } = await served("--log-level", "silent");
    child.stdin.end();
    const client = new RawClient(address);
    await client.ok(ping, {});
    client.close();
    child.kill("SIGINT");
    expect(await ended).toMatchObject({ code: 0, stderr: "" });
  });

  test("a second signal does not wait for calls that run", async () => {
    const { child, ended, address } = await served();
    const client = new Client(address, credentials.createInsecure());
    const asIs = (bytes: Buffer): Buffer => bytes;
    // A request whose end never comes.
    const call = client.makeClientStreamRequest("/grpc.health.v1.Health/Check", asIs, asIs, () => {});
    await new Promise<void>((resolve) => call.write(Buffer.alloc(0), () => resolve()));
    const other = new RawClient(address);
    await other.ok(ping, {});
    const closing = new Promise<void>((resolve) => {
      child.stderr.on("data", (text: string) => text.includes("closing") && resolve());
    });
    child.kill("SIGTERM");
    await closing;
    child.kill("SIGTERM");
    // A shell reports 143.
    expect(await ended).toMatchObject({ code: null, signal: "SIGTERM" });
    client.close();
    other.close();
  });

  test("takes limits, the default TTL and the level of the log", async () => {
    const { address, child, ended } = await served(
      ...["--limit", "max-sessions=1", "--limit", "max-items=5"],
      ...["--default-ttl", "1.5", "--log-level", "debug"],
    );
    const client = new RawClient(address);
    expect(await client.ok(createSession, { sessionId: "a" })).toMatchObject({
      session: { ttl: { seconds: 1n, nanos: 500_000_000 } },
    });
    const { refusal } = await client.refused(createSession, { sessionId: "b" });
    expect(refusal?.details.limit).toEqual({ setting: "max-sessions", limit: 1, actual: 2 });
    await client.ok(getSession, { sessionId: "a" });
    client.close();
    child.kill("SIGTERM");
    expect((await ended).stderr).toMatch(/"method":"GetSession"/);
  });

  test("lets the pages use it that it is told", async () => {
    const origins = ["http://localhost:5173", "https://app.example"];
    const { address } = await served(...origins.flatMap((origin) => ["--allow-origin", origin]));
    const url = `http://${address}/snakepit.bridge.v1.SessionService/Ping`;
    const ask = (origin: string) =>
      fetch(url, { method: "POST", body: "{}", headers: { "content-type": "application/json", origin } });
    const answers = await Promise.all([...origins, "http://localhost:1"].map(ask));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 403]);
  });

  test("listens where it is told", async () => {
    const { line } = await served("--host", "localhost");
    expect(line).toMatch(/ on localhost:\d+ /);
  });

  test("a port in use is one line and exit code 1", async () => {
    const { address } = await served();
    const port = address.split(":")[1] ?? "";
    expect(await start(["serve", "--port", port, "--store", "memory"]).ended).toMatchObject({
      code: 1,
      stdout: "",
      stderr: `error: cannot listen on ${address}: the port is in use; take another one, or 0 for any that is free\n`,
    });
  });

  test.each([
    [
      ["--port", "abc"],
      1,
      "error: option '--port <port>' argument 'abc' is invalid. It has to be a whole number.\n",
    ],
    [["--bogus"], 2, "error: unknown option '--bogus'\n"],
  ])("%j ends with one line and exit code %i", async (args, code, stderr) => {
    expect(await start(["serve", ...args]).ended).toMatchObject({ code, stdout: "", stderr });
  });
});

describe("an option that makes no sense is one line", () => {
  test.each([
    [["--port", "65536"], 1, /port is 65536; it has to be a whole number from 0 to 65535$/],
    [["--host", "no.such.host.invalid", "--store", "memory"], 1, /the host name is not known$/],
    [["--store", "sqlite:"], 1, /store "sqlite:" is not available; available: memory, sqlite:PATH$/],
    [["--limit", "max-fun=1"], 1, /'max-fun=1' is invalid\. .* names are max-value-bytes, /],
    [["--limit", "max-items"], 1, /'max-items' is invalid\. It has to be NAME=N/],
    [["--limit", "max-items=0"], 1, /limit max-items is 0; /],
    [["--limit", "max-items=1e3"], 1, /It has to be a whole number\.$/],
    [["--allow-origin", "http://a/b"], 1, /'http:\/\/a\/b' is invalid\. It has to be an origin, as /],
    [["--default-ttl", "-1"], 1, /It has to be a number of seconds, 0 or more\.$/],
    [["--log-level", "loud"], 1, /'loud' is invalid\. Allowed choices are trace, /],
    [["--bogus"], 2, /unknown option '--bogus'$/],
    [["more"], 2, /too many arguments/],
  ])("%j, with exit code %i", async (args, code, message) => {
    const ended = await run("serve", ...args);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
    expect(ended.stderr.trimEnd()).toMatch(message);
  });
});

test("help, version, and a command that there is not", async () => {
  const help = await run("--help");
  const serveHelp = await run("serve", "--help");
  const version = await run("--version");
  const unknown = await run("dance");
  expect(help).toMatchObject({ code: 0, stdout: expect.stringMatching(/serve \[options\]/) });
  for (const option of ["host", "port", "allow-origin", "store", "limit", "default-ttl", "log-level"]) {
    expect(serveHelp.stdout).toContain(`--${option} `);
  }
  expect(version).toMatchObject({ code: 0, stdout: `${VERSION}\n` });
  expect(unknown).toMatchObject({ code: 2, stderr: "error: unknown command 'dance'\n" });
});
