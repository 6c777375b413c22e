/** Host and port: how they are written, and how a server comes to listen on them. */
import type { Server, ServerCredentials } from "@grpc/grpc-js";

/** `host:port`, an IPv6 address in brackets. */
export function formatAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Listens, and answers the port. Rejects with what is wrong and what to do. */
export function listen(
  server: Server,
  host: string,
  port: number,
  credentials: ServerCredentials,
): Promise<number> {
  const address = formatAddress(host, port);
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (cause, bound) => {
      if (cause === null) resolve(bound);
      else reject(new Error(`cannot listen on ${address}: ${problem(cause.message)}`, { cause }));
    });
  });
}

/** grpc-js tells what happened in a sentence of its own, with the system's code somewhere in it. */
function problem(message: string): string {
  for (const [code, meaning] of PROBLEMS) {
    if (message.includes(code)) return meaning;
  }
  return message;
}

const PROBLEMS: readonly (readonly [code: string, meaning: string])[] = [
  ["EADDRINUSE", "the port is in use; take another one, or 0 for any that is free"],
  ["EACCES", "this user may not use the port; take one above 1023"],
  ["EADDRNOTAVAIL", "this machine does not have that address"],
  ["Name resolution failed", "the host name is not known"],
];
