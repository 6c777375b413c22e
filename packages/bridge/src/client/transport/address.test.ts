import { describe, expect, test } from "vitest";
import { checkAddress, defaultAddress } from "./address.js";

describe("an address", () => {
  test.each([
    "127.0.0.1:50051",
    "localhost:1",
    "bridge.internal:65535",
    "[::1]:50051",
    "dns:///bridge:50051",
    "unix:/run/bridge.sock",
  ])("%s is taken", (address) => {
    expect(checkAddress(address)).toBe(address);
  });

  test.each([
    ["without a port", "localhost"],
    ["with no port behind the colon", "localhost:"],
    ["with port 0", "localhost:0"],
    ["with a port above 65535", "localhost:65536"],
    ["of the web", "http://localhost:50051"],
    ["of IPv6 without brackets", "::1:50051"],
    ["with a path", "localhost:50051/x"],
    ["with a space", "local host:50051"],
    ["that is empty", ""],
  ])("%s is refused with how to write it", (_, address) => {
    expect(() => checkAddress(address)).toThrow(RangeError);
    expect(() => checkAddress(address)).toThrow("write it as host:port, as in 127.0.0.1:50051");
  });
});

test("the default is the environment's, else where a bridge listens that was told nothing", () => {
  expect(defaultAddress({ SNAKEPIT_BRIDGE_ADDRESS: "bridge:1" })).toBe("bridge:1");
  expect(defaultAddress({ SNAKEPIT_BRIDGE_ADDRESS: "" })).toBe("127.0.0.1:50051");
  expect(defaultAddress({})).toBe("127.0.0.1:50051");
});
