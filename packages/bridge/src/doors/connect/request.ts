/** What an HTTP request says, or in one sentence why it says nothing. */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { quoteName } from "../../core/names.js";
import { invalidField, Refusal } from "../../core/refusal.js";
import {
  COMPRESSED,
  Envelopes,
  type Form,
  STREAM_TYPE,
  TIMEOUT_HEADER,
  UNARY_TYPE,
  VERSION_HEADER,
} from "../../wire/connect.js";
import { tooLong } from "../answering.js";

/** How a request came that is one to an RPC. */
export interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly form: Form;
  /** Why its client may not ask. */
  readonly refusal: Refusal | undefined;
  /** How long the caller waits, in milliseconds; undefined: for ever. */
  readonly timeoutMs: number | undefined;
}

const FORMS: readonly Form[] = ["json", "proto"];

/** The forms that an RPC takes, by the names of their types. */
export const UNARY_FORMS = formsBy(UNARY_TYPE);
export const STREAM_FORMS = formsBy(STREAM_TYPE);

function formsBy(types: Readonly<Record<Form, string>>): ReadonlyMap<string, Form> {
  return new Map(FORMS.map((form) => [types[form], form]));
}

/** The form of the body; undefined: it is of no type that is taken. */
export function formOf({ "content-type": type = "" }: IncomingHttpHeaders, forms: ReadonlyMap<string, Form>) {
  const [name = "", ...parameters] = type.toLowerCase().split(";");
  const isPlain = parameters.every((parameter) => /^\s*charset\s*=\s*"?utf-8"?\s*$/.test(parameter));
  return isPlain ? forms.get(name.trim()) : undefined;
}

/** How long the caller waits, in milliseconds; undefined: for ever. */
export function timeoutOf(headers: IncomingHttpHeaders): number | undefined | Refusal {
  const version = headers[VERSION_HEADER];
  if (version !== undefined && version !== "1")
    return invalidField(VERSION_HEADER, `is ${quoteName(String(version))}; this bridge speaks version 1`);
  const text = headers[TIMEOUT_HEADER];
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^\d{1,10}$/.test(text)) return Number(text);
  return invalidField(TIMEOUT_HEADER, "has to be a number of milliseconds, of at most ten digits");
}

/** The bytes of the body, or why there are too many. Rejects if the connection breaks before its end. */
export async function bodyOf(request: IncomingMessage, maxBytes: number): Promise<Uint8Array | Refusal> {
  // Before they come: nobody has to send what is refused.
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > maxBytes) return tooLong(announced, maxBytes);
  const pieces: Buffer[] = [];
  let length = 0;
  return new Promise((resolve, reject) => {
    request.on("data", (piece: Buffer) => {
      length += piece.length;
      if (length <= maxBytes) pieces.push(piece);
      // What comes after that is let pass by, and no longer than a request may take.
      else resolve(tooLong(length, maxBytes));
    });
    request.on("end", () => resolve(Buffer.concat(pieces)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the connection has broken")));
  });
}

/** What is in the one envelope of a request for a stream. */
export function onlyLetter(body: Uint8Array, maxBytes: number): Uint8Array | Refusal {
  const envelopes = new Envelopes(maxBytes);
  const letters = envelopes.add(body);
  if (typeof letters === "number") return tooLong(letters, maxBytes);
  const [letter, ...others] = letters;
  if (letter === undefined || others.length > 0 || !envelopes.isEmpty)
    return new Refusal(
      "INVALID_ARGUMENT",
      "the request has to be one message in an envelope: a byte 0, four of its length, then the message",
    );
  if ((letter.flags & COMPRESSED) !== 0)
    return new Refusal("INVALID_ARGUMENT", "the message is compressed, which this bridge does not take");
  return letter.bytes;
}
