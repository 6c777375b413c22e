/** A refusal as grpc-js sends it. */
import { Metadata, type StatusObject } from "@grpc/grpc-js";
import type { Refusal } from "../../core/refusal.js";
import { DEFAULT_DETAIL_BYTES, DETAIL_BYTES_KEY, MAX_DETAIL_BYTES, statusFor } from "../../wire/status.js";

/** The status that tells a caller why there is no answer; `asked` is the metadata of the request. */
export function refused(refusal: Refusal, asked: Metadata): StatusObject {
  const { code, message, details } = statusFor(refusal, detailBytes(asked));
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from(details));
  return { code, details: message, metadata };
}

/** The bytes of details that the caller takes. */
function detailBytes(asked: Metadata): number {
  const [value] = asked.get(DETAIL_BYTES_KEY);
  const bytes = Number(value);
  return Number.isSafeInteger(bytes)
    ? Math.min(Math.max(bytes, DEFAULT_DETAIL_BYTES), MAX_DETAIL_BYTES)
    : DEFAULT_DETAIL_BYTES;
}
