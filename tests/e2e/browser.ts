/** A real browser for tests: Chromium as the system has it. Nothing is downloaded. */
import { existsSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { delimiter, join } from "node:path";
import { type Browser, chromium } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Where the browser is; undefined: there is none. `CHROMIUM` names another one. */
export const browserPath: string | undefined = [
  ...(process.env["CHROMIUM"] ?? "").split(delimiter),
  "/usr/bin/chromium",
  ...(process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => NAMES.map((name) => join(folder, name))),
].find((path) => path !== "" && existsSync(path));

if (browserPath === undefined)
  console.log(
    "Tests in a browser are skipped: there is no Chromium. Install one (on Debian: apt-get install chromium), or name one in CHROMIUM.",
  );

/** A name of somebody else, which he has resolved to this machine. */
export const STRANGER = "stranger.example";

/** Starts the browser, with a profile of its own that is removed when it is closed. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    ...(browserPath === undefined ? {} : { executablePath: browserPath }),
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=MAP ${STRANGER} 127.0.0.1`,
    ],
  });
}

/** A web server of pages, each of an origin of its own. */
export class PageServer {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** Serves one page that loads this script. */
  static async start(script: string): Promise<PageServer> {
    const server = createServer((request, response) => {
      const isScript = request.url === "/page.js";
      response.setHeader("content-type", isScript ? "text/javascript" : "text/html");
      response.end(isScript ? script : '<!doctype html><script src="/page.js"></script>');
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new PageServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
