/** The handler of watches over HTTP: one response, which goes on until one side ends it. */
import { Refusal } from "../../core/refusal.js";
import { enveloped, LAST, STREAM_TYPE } from "../../wire/connect.js";
import { bytesFromJson, jsonFromBytes, refusalJson } from "../../wire/json.js";
import type { StreamRpc } from "../../wire/services.js";
import type { DoorContext } from "../answering.js";
import type { WatchStreams } from "../watch-stream.js";
import { type Asked, bodyOf, onlyLetter } from "./request.js";

/**
 * How long a reader may take to read why its watch has ended, in milliseconds. One that does not read would keep its connection
 * as long as it likes, and a bridge that closes waiting.
 */
const LAST_WORD_MS = 2_000;

export async function serveStream(
  { clock, engine }: DoorContext,
  streams: WatchStreams,
  { name, kind, input, output }: StreamRpc,
  { request, response, form, refusal, timeoutMs }: Asked,
): Promise<void> {
  const deadline = timeoutMs === undefined ? undefined : clock.now() + timeoutMs;
  const { maxMessageBytes } = engine.limits;
  // The envelope does not count.
  const body = await bodyOf(request, maxMessageBytes + 5);
  const letter = body instanceof Refusal ? body : onlyLetter(body, maxMessageBytes);
  const bytes = form === "json" && !(letter instanceof Refusal) ? bytesFromJson(input, letter) : letter;
  response.writeHead(200, { "content-type": STREAM_TYPE[form] });
  // A reader knows that it was heard before there is something to tell.
  response.flushHeaders();
  const written = (told: Uint8Array) => (form === "json" ? jsonFromBytes(output, told) : told);
  /** Sets a timer that nobody has to stop. */
  const after = (ms: number, act: () => void) => response.once("close", clock.setTimer(ms, act));
  const begun = streams.begin(
    kind,
    bytes,
    { method: name, refusal },
    {
      write: (told, sent) => response.write(enveloped(0, written(told)), sent),
      end: (why) => {
        response.end(enveloped(LAST, Buffer.from(JSON.stringify({ error: refusalJson(why) }))));
        after(LAST_WORD_MS, () => response.destroy());
      },
    },
  );
  response.on("close", () => begun.close());
  if (deadline !== undefined)
    after(deadline - clock.now(), () =>
      begun.end(new Refusal("DEADLINE_EXCEEDED", "the deadline of the watch has passed")),
    );
}
