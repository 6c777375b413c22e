/**
 * How a call ends over gRPC when it is refused or not answered.
 *
 * A refusal is the only detail of a google.rpc.Status in the trailer `grpc-status-details-bin` (DOOR-11). A status
 * without one is not the word of a bridge.
 *
 * Trailers are small: gRPC in Python takes 8 KiB of them unless it is told otherwise, and HTTP/2 in Node 64 KiB, beyond
 * which a call never ends at all. So a status is cut to what the caller can take. The only refusal that is long by
 * itself is that of a batch: it then names the first items at fault and says that there are more.
 */
import { type BridgeError, errorFrom } from "../core/errors.js";
import { type ItemRefusal, Refusal, type RefusalDetails } from "../core/refusal.js";
import { cut } from "../core/text.js";
import { decode, encode } from "./bytes.js";
import { CODES, codeOf, refusalFromProto, refusalToProto } from "./errors.js";
import { StatusSchema } from "./gen/google/rpc/status_pb.js";
import { ErrorDetailSchema } from "./gen/snakepit/bridge/v1/errors_pb.js";
import { type CallStatus, transportError } from "./transport-error.js";
import { fitting, optional } from "./unfit.js";

/** The bytes of details that every gRPC client takes: with all the other trailers they stay below 8 KiB in base64. */
export const DEFAULT_DETAIL_BYTES = 4_800;
/** The key in a request's metadata by which a client says that it takes more, and the most that a bridge sends. */
export const DETAIL_BYTES_KEY = "snakepit-max-detail-bytes";
export const MAX_DETAIL_BYTES = 1_048_576;

/** The most bytes of a sentence in `grpc-message`, where a character beyond ASCII takes six to twelve. */
const HEADER_BYTES = 900;
/** The most of any text in details that have to be cut. */
const BRIEF_TEXT = 600;

const DETAIL_URL = `type.googleapis.com/${ErrorDetailSchema.typeName}`;

/** The status that a refusal travels in. */
export function statusFor(refusal: Refusal, maxDetailBytes = DEFAULT_DETAIL_BYTES): Required<CallStatus> {
  const code = CODES[codeOf(refusal.reason)];
  const message = headerText(refusal.message);
  // The status repeats code and message of the call word for word: clients compare them.
  const pack = (detail: Refusal): Uint8Array =>
    encode(StatusSchema, {
      $typeName: "google.rpc.Status",
      code,
      message,
      details: [
        {
          $typeName: "google.protobuf.Any",
          typeUrl: DETAIL_URL,
          value: encode(ErrorDetailSchema, refusalToProto(detail)),
        },
      ],
    });
  const whole = pack(refusal);
  if (whole.length <= maxDetailBytes) return { code, message, details: whole };
  const details = pack(trimmed(refusal, maxDetailBytes, (detail) => pack(detail).length));
  return { code, message, details };
}

/** As much of a refusal as so many bytes take. */
export function trimmed(
  refusal: Refusal,
  maxBytes: number,
  bytesOf: (refusal: Refusal) => number = detailBytes,
): Refusal {
  if (bytesOf(refusal) <= maxBytes) return refusal;
  const short = brief(refusal);
  const { items } = short.details;
  if (items === undefined) return short;
  const room = maxBytes - bytesOf(withItems(short, []));
  return withItems(short, firstThatFit(items, room));
}

function detailBytes(refusal: Refusal): number {
  return encode(ErrorDetailSchema, refusalToProto(refusal)).length;
}

/** A sentence for `grpc-message`, which carries well-formed text only and writes it as a part of a URI. */
function headerText(message: string): string {
  const short = cut(message.replace(/\p{Surrogate}/gu, "\ufffd"), HEADER_BYTES / 3);
  return encodeURI(short).length <= HEADER_BYTES ? short : cut(short, HEADER_BYTES / 9);
}

/** The same refusal without more text than people read. */
function brief({ reason, message, details }: Refusal): Refusal {
  const { sessionId, identifier, items } = details;
  return new Refusal(reason, cut(message, BRIEF_TEXT), {
    ...details,
    ...optional("sessionId", sessionId && cut(sessionId, BRIEF_TEXT)),
    ...optional("identifier", identifier && cut(identifier, BRIEF_TEXT)),
    ...optional("items", items?.map(briefItem)),
  });
}

/** An item's own error repeats its identifier, which a reader can put there again. */
function briefItem({ index, identifier, refusal }: ItemRefusal): ItemRefusal {
  const { identifier: _, ...details } = refusal.details;
  const short = brief(new Refusal(refusal.reason, refusal.message, details));
  return { index, identifier: cut(identifier, BRIEF_TEXT), refusal: short };
}

function firstThatFit(items: readonly ItemRefusal[], room: number): readonly ItemRefusal[] {
  let used = 0;
  const end = items.findIndex((item) => {
    used += sizeOf(item);
    return used > room;
  });
  return end === -1 ? items : items.slice(0, end);
}

/** The bytes that an item takes in the details, or a few more. */
function sizeOf(item: ItemRefusal): number {
  return detailBytes(new Refusal("BATCH_REFUSED", "", { items: [item] }));
}

function withItems({ reason, message, details }: Refusal, items: readonly ItemRefusal[]): Refusal {
  const all = details.items?.length ?? 0;
  const told = items.length === all ? "" : ` (only the first ${items.length} of ${all} are told apart here)`;
  const rest: RefusalDetails = { ...details, items };
  return new Refusal(reason, `${message}${told}`, rest);
}

/**
 * The refusal in the content of `grpc-status-details-bin`; undefined if there is none that this version understands.
 * Bytes that are no status are as good as none: the code and the message still tell what happened.
 */
export function refusalFromDetails(bytes: Uint8Array): Refusal | undefined {
  const status = decode(StatusSchema, bytes);
  if (status instanceof Refusal) return undefined;
  const packed = status.details.find(({ typeUrl }) => typeUrl === DETAIL_URL);
  const detail = packed && decode(ErrorDetailSchema, packed.value);
  if (detail === undefined || detail instanceof Refusal) return undefined;
  const found = fitting(() => ({ refusal: refusalFromProto(detail) }));
  return found instanceof Refusal ? undefined : found.refusal;
}

/**
 * The refusal that a status carries. Undefined: no bridge said so, it is from the transport, a proxy or something that
 * is not a bridge; then {@link transportError} tells what it means.
 */
export function refusalFromStatus({ details }: CallStatus): Refusal | undefined {
  return details === undefined ? undefined : refusalFromDetails(details);
}

/** The error for any status: of the refusal in it, else of the transport. */
export function errorFromStatus(status: CallStatus, cause?: unknown): BridgeError {
  const refusal = refusalFromStatus(status);
  return refusal === undefined ? transportError(status, cause) : errorFrom(refusal);
}
