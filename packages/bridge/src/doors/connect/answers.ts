/** Answers that are none of an RPC: refusals, and what a browser is told before it lets a page ask. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Refusal } from "../../core/refusal.js";
import { type ConnectError, TIMEOUT_HEADER, VERSION_HEADER } from "../../wire/connect.js";
import { type CodeName, codeOf } from "../../wire/errors.js";
import { httpStatusOf, plainJson, refusalJson } from "../../wire/json.js";
import { CLIENT_KEY } from "../../wire/keys.js";

/** Answers with a refusal. */
export function answerError(response: ServerResponse, refusal: Refusal): void {
  answerJson(response, httpStatusOf(codeOf(refusal.reason)), refusalJson(refusal));
}

/** Answers what is no request to an RPC. */
export function answerPlain(response: ServerResponse, status: number, code: CodeName, message: string): void {
  answerJson(response, status, plainJson(code, message));
}

function answerJson(response: ServerResponse, status: number, json: ConnectError): void {
  answer(response, status, "application/json", Buffer.from(JSON.stringify(json)));
}

/** Answers with a body. */
export function answer(response: ServerResponse, status: number, type: string, body: Uint8Array): void {
  response.writeHead(status, { "content-type": type, "content-length": body.length });
  response.end(body);
}

/** How long a browser may take it for granted that a page is allowed, in seconds. None does for longer. */
const ALLOWED_S = 7_200;

/** Lets a page of another origin read the answer. True if that was the question, which is answered then. */
export function allow(request: IncomingMessage, response: ServerResponse, origin: string): boolean {
  response.setHeader("access-control-allow-origin", origin);
  response.setHeader("vary", "origin");
  if (request.method !== "OPTIONS" || request.headers["access-control-request-method"] === undefined)
    return false;
  response.setHeader("access-control-allow-methods", "POST");
  response.setHeader(
    "access-control-allow-headers",
    ["content-type", VERSION_HEADER, TIMEOUT_HEADER, CLIENT_KEY].join(", "),
  );
  response.setHeader("access-control-max-age", ALLOWED_S);
  if (request.headers["access-control-request-private-network"] === "true")
    response.setHeader("access-control-allow-private-network", "true");
  response.writeHead(204);
  response.end();
  return true;
}
