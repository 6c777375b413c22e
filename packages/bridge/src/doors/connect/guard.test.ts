import { describe, expect, test } from "vitest";
import { Guard, isOrigin } from "./guard.js";

const ALLOWED = ["http://localhost:5173", "https://app.example"];
const guard = (host = "127.0.0.1") => new Guard({ host, allowOrigins: ALLOWED });

describe("a request", () => {
  test.each([
    ["127.0.0.1:50051", "127.0.0.1"],
    ["127.9.9.9", "127.0.0.1"],
    ["LOCALHOST:1", "127.0.0.1"],
    ["[::1]:50051", "127.0.0.1"],
    ["box.lan:50051", "box.lan"],
    ["Box.lan", "BOX.LAN"],
    ["[fe80::1]:1", "fe80::1"],
    ["192.168.1.5:50051", "0.0.0.0"],
    ["[2001:db8::5]:50051", "::"],
    ["app.example", "127.0.0.1"],
    ["app.example:443", "127.0.0.1"],
  ])("to %s of a bridge that listens on %s is answered", (host, listens) => {
    expect(guard(listens).judge({ host })).toEqual({ origin: undefined });
  });

  test.each([
    ["evil.example:50051", "127.0.0.1"],
    ["localhost.evil.example", "127.0.0.1"],
    ["127.0.0.1.evil.example", "127.0.0.1"],
    ["127.evil.example", "127.0.0.1"],
    ["127.1", "127.0.0.1"],
    ["192.168.1.5:50051", "127.0.0.1"],
    ["evil.example", "0.0.0.0"],
    ["", "127.0.0.1"],
    [undefined, "127.0.0.1"],
    ["localhost, evil.example", "127.0.0.1"],
    ["evil.example:80:localhost", "127.0.0.1"],
    ["user@localhost", "127.0.0.1"],
  ])("to %s of a bridge that listens on %s is refused", (host, listens) => {
    expect(guard(listens).judge({ host })).toMatchObject({ refusal: expect.stringContaining("Host") });
  });

  test("of a page is answered if the bridge has served it, or it was allowed", () => {
    const host = "localhost:50051";
    expect(guard().judge({ host, origin: "http://localhost:50051" })).toEqual({ origin: undefined });
    for (const origin of ALLOWED) expect(guard().judge({ host, origin })).toEqual({ origin });
  });

  test.each([
    "null",
    "",
    "http://evil.example",
    "http://localhost:50052",
    "https://localhost:50051",
    "http://127.0.0.1:50051",
    "http://localhost:5173.evil.example",
    "http://app.example",
  ])("of a page of %j is refused, and told how to allow it", (origin) => {
    expect(guard().judge({ host: "localhost:50051", origin })).toMatchObject({
      refusal: expect.stringContaining("--allow-origin"),
    });
  });
});

test("an origin is a scheme, a host and perhaps a port, as browsers write it", () => {
  for (const origin of ALLOWED) expect(isOrigin(origin)).toBe(true);
  for (const text of [
    "*",
    "null",
    "localhost:5173",
    "http://a/",
    "http://A",
    "http://a:80",
    "ftp://a",
    "http://",
  ])
    expect(isOrigin(text)).toBe(false);
});
