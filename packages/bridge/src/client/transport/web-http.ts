/** Requests to a bridge over HTTP, one at a time: by Connect, in binary (`wire/connect.ts`). */
import { VERSION } from "../../version.js";
import {
  COMPRESSED,
  Envelopes,
  enveloped,
  LAST,
  STREAM_TYPE,
  TIMEOUT_HEADER,
  UNARY_TYPE,
  VERSION_HEADER,
} from "../../wire/connect.js";
import { endOfStream, type NoAnswer, noAnswer } from "../../wire/connect-answers.js";
import { CLIENT_KEY } from "../../wire/keys.js";
import { joined } from "../../wire/parts.js";
import { INDEFINITE, STATUS } from "../outcome.js";
import { LONGEST_REPLY_BYTES } from "./transport.js";

/** Where the calls of a bridge are: `http://127.0.0.1:50051`, or below a path of a proxy. Throws RangeError for what is none. */
export function checkBaseUrl(text: string): string {
  const url = parsed(text);
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== "" || url.hash !== "")
    throw new RangeError(
      `${JSON.stringify(text)} is no address of a bridge for a page: write it as http://127.0.0.1:50051`,
    );
  return url.href.replace(/\/$/, "");
}

function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

export interface Post {
  readonly url: string;
  readonly bytes: Uint8Array;
  readonly signal: AbortSignal;
}

/** Asks for one answer, and gives its bytes, or says why there are none. */
export async function post({ url, bytes, signal }: Post, timeoutMs: number): Promise<Uint8Array | NoAnswer> {
  try {
    const type = UNARY_TYPE.proto;
    const response = await send(url, type, bytes, signal, { [TIMEOUT_HEADER]: String(timeoutMs) });
    if (response.ok && response.headers.get("content-type") === type) return await bodyOf(response);
    return await refusalIn(response);
  } catch (error) {
    return broken(error);
  }
}

/** True if it is known by an answer what became of what was asked: that is how a bridge answers, and nothing that has lost one. */
export function isDefinite(answer: Uint8Array | NoAnswer): boolean {
  return answer instanceof Uint8Array || answer.refusal !== undefined || !INDEFINITE.has(answer.status);
}

/** Asks for a stream, and hands on each message, until it ends and says why. `heard` is called with all that comes of it. */
export async function stream(
  { url, bytes, signal }: Post,
  heard: () => void,
  told: (bytes: Uint8Array) => void,
): Promise<NoAnswer> {
  try {
    const type = STREAM_TYPE.proto;
    const response = await send(url, type, enveloped(0, bytes), signal, {});
    const { body } = response;
    if (!response.ok || response.headers.get("content-type") !== type || body === null)
      return await refusalIn(response);
    heard();
    const envelopes = new Envelopes(LONGEST_REPLY_BYTES);
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return gone("the connection has broken");
      heard();
      const letters = envelopes.add(value);
      if (typeof letters === "number") return gone(`a message would take ${letters} bytes`);
      for (const { flags, bytes: message } of letters) {
        if ((flags & COMPRESSED) !== 0) return gone("a message is compressed");
        if ((flags & LAST) !== 0) return endOfStream(message) ?? gone("it has ended the stream");
        told(message);
      }
    }
  } catch (error) {
    return broken(error);
  }
}

function send(
  url: string,
  type: string,
  body: Uint8Array,
  signal: AbortSignal,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return fetch(url, {
    method: "POST",
    headers: {
      "content-type": type,
      [VERSION_HEADER]: "1",
      [CLIENT_KEY]: `typescript/${VERSION}`,
      ...headers,
    },
    body,
    signal,
    redirect: "error",
  });
}

async function refusalIn(response: Response): Promise<NoAnswer> {
  return noAnswer(response.status, new TextDecoder().decode(await bodyOf(response)));
}

/** All that is answered. Throws for what is longer than any answer. */
async function bodyOf({ body }: Response): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  for (const reader = body?.getReader(); ; ) {
    const { value } = (await reader?.read()) ?? {};
    if (value === undefined) return joined(pieces, length);
    length += value.length;
    if (length > LONGEST_REPLY_BYTES) {
      await reader?.cancel();
      throw new RangeError(`the answer takes more than ${LONGEST_REPLY_BYTES} bytes`);
    }
    pieces.push(value);
  }
}

/** A browser does not tell a page more than that. */
function broken(error: unknown): NoAnswer {
  return gone(error instanceof Error ? error.message : String(error));
}

function gone(details: string): NoAnswer {
  return { status: STATUS.UNAVAILABLE, details, refusal: undefined };
}
