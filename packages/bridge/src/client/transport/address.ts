/** Where a bridge is, as callers write it. */

/** Where a bridge listens if nobody says otherwise. */
const DEFAULT_ADDRESS = "127.0.0.1:50051";

const HOST_AND_PORT = /^(?:\[[^\]]+\]|[^\s:/[\]]+):(\d{1,5})$/;
/** Forms that gRPC resolves by itself. */
const SCHEME = /^(?:dns|ipv4|ipv6|unix|unix-abstract):./;

/** The address in the environment, else the one where `snakepit-bridge serve` listens. */
export function defaultAddress(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env["SNAKEPIT_BRIDGE_ADDRESS"] || DEFAULT_ADDRESS;
}

/** Checks an address. gRPC would take nearly anything, and port 443 where there is none. */
export function checkAddress(address: string): string {
  const port = HOST_AND_PORT.exec(address)?.[1];
  if (port === undefined ? SCHEME.test(address) : Number(port) >= 1 && Number(port) <= 65_535) return address;
  throw new RangeError(
    `${JSON.stringify(address)} is no address of a bridge: write it as host:port, as in ${DEFAULT_ADDRESS}`,
  );
}
