// The rules of the house, as tables; check-house.mjs holds them. To change the house is to change this file.

export const sourceFolder = "packages/bridge/src";
export const pythonFolder = "python/src/snakepit_bridge";

// The first room whose prefix fits owns a file. `files`: which files it may import, by prefix, and `except` which of
// those it may not. `packages`: what it may import from npm ("*": whatever is declared); `types`: packages of which
// it may know the types only. `node`: whether Node's own modules are allowed; where not, the code runs in a browser.
export const rooms = [
  { prefix: "core/pattern.ts", files: ["core/"], packages: ["re2js"] },
  { prefix: "core/", files: ["core/"] },
  { prefix: "wire/", files: ["wire/", "core/"], packages: ["@bufbuild/protobuf"] },
  { prefix: "storage/", files: ["storage/", "core/"], node: true },
  { prefix: "engine/", files: ["engine/", "core/", "storage/store.ts", "storage/record.ts"], node: true },
  {
    prefix: "doors/grpc",
    files: ["doors/", "core/", "wire/", "engine/", "version.ts"],
    packages: ["@grpc/grpc-js"],
    types: ["pino"],
    node: true,
  },
  {
    prefix: "doors/",
    files: ["doors/", "core/", "wire/", "engine/", "version.ts"],
    types: ["pino"],
    node: true,
  },
  { prefix: "client/transport/local", files: ["client/", "core/", "wire/", "engine/"], node: true },
  {
    prefix: "client/transport/grpc",
    files: ["client/", "core/", "wire/", "version.ts"],
    packages: ["@grpc/grpc-js"],
    node: true,
  },
  {
    prefix: "client/transport/web",
    files: ["client/", "core/", "wire/", "version.ts"],
  },
  { prefix: "client/transport/node-", files: ["client/"], node: true },
  { prefix: "client/transport/", files: ["client/", "core/", "wire/"] },
  { prefix: "client/", files: ["client/", "core/"] },
  {
    prefix: "host/",
    // How programs say where a bridge is, wait and give up is the same everywhere.
    files: [
      "host/",
      "core/",
      "version.ts",
      ...["address", "system-clock", "abort"].map((name) => `client/transport/${name}.ts`),
    ],
    node: true,
  },
  { prefix: "cli/", files: [""], except: ["wire/"], packages: "*", node: true },
  { prefix: "version.ts", files: [] },
  { prefix: "web.", files: ["client/"], reexportsOnly: true },
  {
    prefix: "demo/",
    files: ["demo/", "client/index.ts", "host/index.ts", "server.ts", "storage/sqlite/driver.ts"],
    node: true,
  },
  { prefix: "testing/test-bridge.ts", files: ["testing/", "server.ts"] },
  { prefix: "testing/index.ts", files: ["testing/"], reexportsOnly: true },
  { prefix: "testing/", files: ["testing/", "core/"] },
  { prefix: "server.", files: [""], packages: "*", node: true },
  { prefix: "index.ts", files: [""], reexportsOnly: true },
];

// Who may read the time or set a timer, and why. Everybody else is given a clock or a `now`. (`new Date(ms)` only
// turns a number into a date, so it is free.)
export const timekeepers = {
  "engine/system-clock.ts": "the one real clock",
  "doors/": "the deadlines of calls, and of connections that close",
  "storage/sqlite/lagging-sync.ts": "syncs a second after a write",
  "client/transport/": "the deadlines of calls, and the pauses between attempts to connect",
  "demo/": "paces what it shows, and measures how long it took",
  "cli/": "prints ages, and waits between redraws",
};
export const timeWords =
  /(?<![.\w])(?:globalThis\.)?(?:Date\.now|performance\.now|process\.hrtime|setTimeout|setInterval|new Date(?!\s*\(\s*[^)\s]))\b/g;

// Python modules that only think: what they may not import, themselves or through another module of the package.
const io = ["grpc", "asyncio", "threading", "time"];
export const pureModules = {
  _attempts: io,
  _bindings: io,
  _cache: [...io, "._gen"],
  _calls: io,
  _core: io,
  _definitions: [...io, "._gen"],
  _errands: io,
  _errors: io,
  _following: io,
  _frames: io,
  _html: io,
  _json: [...io, "._gen"],
  _link: io,
  _live: io,
  _methods: io,
  _names: [...io, "._gen"],
  _notices: io,
  _options: io,
  _pins: io,
  _points: io,
  _reads: io,
  _replica: io,
  _request_ids: io,
  _results: io,
  _retry: io,
  _scalars: [...io, "._gen"],
  _state: io,
  _steps: io,
  _updates: io,
  _values: io,
};

// Lines that are neither blank nor comment. An exception is a path with its reason.
export const sizes = { warn: 300, fail: 500, failTest: 600 };
export const sizeExceptions = {};
