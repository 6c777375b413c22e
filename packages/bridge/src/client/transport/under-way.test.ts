import { expect, test } from "vitest";
import type { Reply } from "../../core/commands.js";
import { errorFor } from "../../core/errors.js";
import { UnderWay } from "./under-way.js";

const PONG: Reply = { kind: "ping", message: "", serverTimeMs: 0, serverVersion: "1.2.3" };
const closedError = () => errorFor("CLOSED", "it was closed");
const never = () => expect.unreachable();

test("a call has the client's time, or its own, and neither is one that no timer has", async () => {
  const underWay = new UnderWay(closedError, 700);
  const times: number[] = [];
  const carry = async (timeoutMs: number): Promise<Reply> => {
    times.push(timeoutMs);
    return PONG;
  };
  expect(await underWay.call<{ kind: "ping"; message: string }>({}, carry)).toBe(PONG);
  await underWay.call({ timeoutMs: 5 }, carry);
  expect(times).toEqual([700, 5]);
  expect(new UnderWay(closedError).timeoutMs).toBe(5_000);
  expect(() => new UnderWay(closedError, 0)).toThrow(RangeError);
  await expect(underWay.call({ timeoutMs: -1 }, never)).rejects.toThrow(RangeError);
});

test("a call whose caller has gone is not begun, and none is after the close", async () => {
  const underWay = new UnderWay(closedError);
  await expect(underWay.call({ signal: AbortSignal.abort("gone") }, never)).rejects.toBe("gone");
  underWay.close();
  expect(underWay.isClosed).toBe(true);
  await expect(underWay.call({}, never)).rejects.toThrow("it was closed");
});

test("the close waits for those that were begun before it, however they end", async () => {
  const underWay = new UnderWay(closedError);
  const ends: (() => void)[] = [];
  const calls = [
    underWay.call({}, () => new Promise<Reply>((resolve) => ends.push(() => resolve(PONG)))),
    underWay.call({}, () => new Promise<Reply>((_, reject) => ends.push(() => reject(new Error("lost"))))),
  ];
  underWay.close();
  let isEnded = false;
  const ended = underWay.ended().then(() => {
    isEnded = true;
  });
  ends[0]?.();
  await calls[0];
  expect(isEnded).toBe(false);
  ends[1]?.();
  await expect(calls[1]).rejects.toThrow("lost");
  await ended;
});
