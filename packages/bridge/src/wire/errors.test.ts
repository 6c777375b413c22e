import fc from "fast-check";
import { expect, test } from "vitest";
import { errorFrom } from "../core/errors.js";
import { REASONS, Refusal } from "../core/refusal.js";
import { refusal } from "./arbitraries.contract.js";
import { CODES, codeOf, knownRefusalFromProto, refusalFromProto, refusalToProto } from "./errors.js";
import { ErrorReason } from "./gen/snakepit/bridge/v1/errors_pb.js";
import { DEFAULT_DETAIL_BYTES, errorFromStatus, refusalFromStatus, statusFor } from "./status.js";
import { transportError } from "./transport-error.js";

test.each(REASONS)("[DOOR-11 accepts] %s travels as its number, with its code", (reason) => {
  const sent = new Refusal(reason, "because", { sessionId: "s", identifier: "x" });
  expect(refusalToProto(sent).reason).toBe(ErrorReason[reason]);
  const status = statusFor(sent);
  expect(status).toMatchObject({ code: CODES[codeOf(reason)], message: "because" });
  expect(refusalFromStatus(status)).toEqual(sent);
  expect(errorFromStatus(status)).toEqual(errorFrom(sent));
});

test("a reason of a later release is not taken for one of ours", () => {
  const detail = { ...refusalToProto(new Refusal("INTERNAL", "later")), reason: 99 as never };
  expect(refusalFromProto(detail)).toBeUndefined();
  expect(refusalFromProto({ ...detail, reason: ErrorReason.UNSPECIFIED })).toBeUndefined();
  expect(knownRefusalFromProto(detail)).toMatchObject({
    reason: "INTERNAL",
    message: expect.stringMatching(/99/),
  });
});

test("any refusal is the same after the journey in a status, if the caller takes as much", () => {
  fc.assert(
    fc.property(refusal, (sent) => {
      const received = refusalFromStatus(statusFor(sent, 1_000_000));
      expect(JSON.stringify(received)).toBe(JSON.stringify(sent));
    }),
  );
});

test("any refusal fits what every caller takes, and its reason and fields are told", () => {
  const long = fc.string({ unit: "grapheme", minLength: 2_000, maxLength: 6_000 });
  fc.assert(
    fc.property(refusal, long, (short, text) => {
      const details = { ...short.details, sessionId: text, identifier: text };
      const sent = new Refusal(short.reason, text, details);
      const status = statusFor(sent);
      expect(status.details.length).toBeLessThanOrEqual(DEFAULT_DETAIL_BYTES);
      expect(encodeURI(status.message).length).toBeLessThan(950);
      expect(refusalFromStatus(status)).toMatchObject({
        reason: sent.reason,
        details: { sessionId: expect.stringMatching(/…$/) },
      });
    }),
    { numRuns: 50 },
  );
});

test("a batch names as many items as fit, the first ones, and says that there are more", () => {
  const items = Array.from({ length: 1_000 }, (_, index) => ({
    index,
    identifier: `variable ${index}`,
    refusal: new Refusal("VARIABLE_NOT_FOUND", `Variable not found: variable ${index}`, {
      identifier: `variable ${index}`,
    }),
  }));
  const sent = new Refusal("BATCH_REFUSED", "the batch was refused", { items });
  const told = (room?: number) => refusalFromStatus(statusFor(sent, room)) as Refusal;
  const few = told();
  expect(few.details.items?.length).toBeGreaterThan(40);
  expect(few.details.items?.[7]).toMatchObject({ index: 7, identifier: "variable 7" });
  expect(few.message).toBe(
    `the batch was refused (only the first ${few.details.items?.length} of 1000 are told apart here)`,
  );
  expect(told(200_000)).toEqual(sent);
  expect(few.details.items?.length).toBeLessThan(told(45_000).details.items?.length ?? 0);
});

test("a text is never cut within a character, and ill-formed text is no reason to fail", () => {
  for (const length of [298, 299, 300, 301]) {
    const { message, details } = statusFor(
      new Refusal("INTERNAL", "a".repeat(length) + "\u{1f600}".repeat(2_000)),
    );
    expect(message).toMatch(/^a+(\u{1f600})*…$/u);
    expect(refusalFromStatus({ code: 13, message, details })?.message).toMatch(/^a+(\u{1f600})*…$/u);
  }
  expect(statusFor(new Refusal("INTERNAL", "\ud800")).message).toBe("\ufffd");
});

test("what is no status of a bridge is no refusal", () => {
  fc.assert(
    fc.property(fc.uint8Array(), (details) => {
      expect(refusalFromStatus({ code: 3, message: "", details })).toBeUndefined();
    }),
  );
  expect(refusalFromStatus({ code: 3, message: "" })).toBeUndefined();
});

test.each([
  [CODES.UNAVAILABLE, "UnavailableError", "UNAVAILABLE", true],
  [CODES.CANCELLED, "UnavailableError", "UNAVAILABLE", true],
  [CODES.DEADLINE_EXCEEDED, "DeadlineError", "DEADLINE_EXCEEDED", true],
  [CODES.RESOURCE_EXHAUSTED, "LimitError", "TOO_LARGE", false],
  [CODES.UNAUTHENTICATED, "AuthError", "UNAUTHENTICATED", false],
  [CODES.PERMISSION_DENIED, "AuthError", "PERMISSION_DENIED", false],
  [CODES.UNIMPLEMENTED, "InternalError", "PROTOCOL", false],
  [CODES.UNKNOWN, "InternalError", "PROTOCOL", false],
  [CODES.INTERNAL, "InternalError", "PROTOCOL", false],
  [CODES.NOT_FOUND, "InternalError", "PROTOCOL", false],
  [99, "InternalError", "PROTOCOL", false],
])("code %d without a refusal is %s", (code, name, reason, retryable) => {
  const cause = new Error("below");
  const error = errorFromStatus({ code, message: "the words" }, cause);
  expect(error).toMatchObject({ name, reason, retryable, cause });
  expect(error.message).toMatch(/: the words$/);
  expect(transportError({ code, message: "" }).message).not.toMatch(/:/);
});
