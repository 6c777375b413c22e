import { expect, test } from "vitest";
import { checkRequestId } from "../core/session/form.js";
import { createRequestIds } from "./request-ids.js";

test("the writes of a client are counted from 1 under one name [ORD-15]", () => {
  const next = createRequestIds();
  const [first, second] = [next(), next()];
  expect(first.sequence).toBe(1);
  expect(second).toEqual({ clientId: first.clientId, sequence: 2 });
  expect(checkRequestId(first)).toBeUndefined();
});

test("two clients have two names", () => {
  expect(createRequestIds()().clientId).not.toBe(createRequestIds()().clientId);
});
