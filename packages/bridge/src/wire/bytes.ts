/**
 * Messages from and to bytes. Everything that is sent or received goes through here.
 *
 * The runtime takes U+FEFF at the start of any text for a byte order mark and drops it, so a value would change on its
 * way. It can be told how to decode text, but only for the whole process; so it is told for the time of one message.
 */
import { type DescMessage, fromBinary, type MessageShape, toBinary } from "@bufbuild/protobuf";
import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";
import { Refusal } from "../core/refusal.js";

/** The message in these bytes, or why there is none: they are cut off, their text is not UTF-8, … */
export function decode<D extends DescMessage>(schema: D, bytes: Uint8Array): MessageShape<D> | Refusal {
  const encoding = getTextEncoding();
  configureTextEncoding({ ...encoding, decodeUtf8 });
  try {
    return fromBinary(schema, bytes, { readUnknownFields: false });
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return new Refusal("INVALID_ARGUMENT", `the bytes are no ${schema.name}: ${problem}`);
  } finally {
    configureTextEncoding(encoding);
  }
}

/** The bytes of a message. Its text has to be well-formed, which the codecs of this folder have seen to. */
export function encode<D extends DescMessage>(schema: D, message: MessageShape<D>): Uint8Array<ArrayBuffer> {
  return toBinary(schema, message);
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Names are short and nearly always ASCII, and for those a decoder costs more than the text. */
const SHORT = 24;

function decodeUtf8(bytes: Uint8Array): string {
  return (bytes.length <= SHORT ? decodeAscii(bytes) : undefined) ?? decoder.decode(bytes);
}

function decodeAscii(bytes: Uint8Array): string | undefined {
  let text = "";
  for (const byte of bytes) {
    if (byte >= 0x80) return undefined;
    text += String.fromCharCode(byte);
  }
  return text;
}
