/** What a client is told over HTTP where it is not answered. */
import { base64Decode } from "@bufbuild/protobuf/wire";
import { Refusal } from "../core/refusal.js";
import { decode } from "./bytes.js";
import { type ConnectError, codeOfHttp, codeOfWord } from "./connect.js";
import { CODES, refusalFromProto } from "./errors.js";
import { ErrorDetailSchema } from "./gen/snakepit/bridge/v1/errors_pb.js";
import { fitting } from "./unfit.js";

/** Why a call was not answered. */
export interface NoAnswer {
  /** The gRPC status. */
  readonly status: number;
  /** For people. */
  readonly details: string;
  /** What the bridge says; undefined: it is not the word of a bridge. */
  readonly refusal: Refusal | undefined;
}

/** What an answer of HTTP says that is none of the RPC. */
export function noAnswer(httpStatus: number, text: string): NoAnswer {
  const error = parsed(text);
  const details = error?.message ?? `HTTP ${httpStatus}`;
  // What is said where a message should be is no answer of a bridge at all.
  const otherwise = httpStatus === 200 ? CODES.UNIMPLEMENTED : codeOfHttp(httpStatus);
  return { status: codeOfWord(error?.code) ?? otherwise, details, refusal: error && refusalOf(error) };
}

/** What the last envelope of a stream says; undefined: it has ended as it should. */
export function endOfStream(bytes: Uint8Array): NoAnswer | undefined {
  const end = parsed(new TextDecoder().decode(bytes)) as { readonly error?: ConnectError } | undefined;
  if (end === undefined)
    return { status: CODES.INTERNAL, details: "the end makes no sense", refusal: undefined };
  const { error } = end;
  if (error === undefined) return undefined;
  const status = codeOfWord(error.code) ?? CODES.UNKNOWN;
  return { status, details: error.message ?? "", refusal: refusalOf(error) };
}

function parsed(text: string): ConnectError | undefined {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === "object" && json !== null ? json : undefined;
  } catch {
    return undefined;
  }
}

function refusalOf({ details }: ConnectError): Refusal | undefined {
  if (!Array.isArray(details)) return undefined;
  const packed = details.find(({ type }) => type === ErrorDetailSchema.typeName);
  if (typeof packed?.value !== "string") return undefined;
  try {
    const detail = decode(ErrorDetailSchema, base64Decode(packed.value));
    if (detail instanceof Refusal) return undefined;
    const found = fitting(() => ({ refusal: refusalFromProto(detail) }));
    return found instanceof Refusal ? undefined : found.refusal;
  } catch {
    return undefined;
  }
}
