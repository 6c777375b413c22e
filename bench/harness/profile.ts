/** What a CPU profile says of a server: the share of each part of the house, and of what it stands on. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { table } from "./table.js";

/** What is needed of the format of `--cpu-prof`. */
interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

/** The first that fits a function's place names its part. */
const PARTS: readonly (readonly [part: string, place: RegExp])[] = [
  ["protobuf-es", /\/node_modules\/@bufbuild\/protobuf\//],
  ["grpc-js", /\/node_modules\/@grpc\/grpc-js\//],
  ["other packages", /\/node_modules\//],
  ["bridge: wire", /\/packages\/bridge\/dist\/wire\//],
  ["bridge: doors", /\/packages\/bridge\/dist\/doors\//],
  ["bridge: engine", /\/packages\/bridge\/dist\/engine\//],
  ["bridge: core", /\/packages\/bridge\/dist\/core\//],
  ["bridge: storage", /\/packages\/bridge\/dist\/storage\//],
  ["bridge: the rest", /\/packages\/bridge\//],
  ["the echo's own", /\/bench\//],
  ["node: http2", /^node:internal\/http2/],
  ["node: streams, net, events", /^node:(internal\/streams|stream|net|events|internal\/stream_base|buffer)/],
  ["node: the rest", /^node:/],
];

/** A table with a column for each server that wrote profiles here: percent of the time its main thread was busy. */
export function profileShares(folder: string): string {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const servers = folders.flatMap(({ name }) => {
    const profile = newestOfMainThread(join(folder, name));
    return profile === undefined ? [] : [{ name, shares: sharesOf(profile) }];
  });
  const parts = [...PARTS.map(([part]) => part), "garbage collector", "native code"];
  const lines = parts
    .filter((part) => servers.some(({ shares }) => shares.has(part)))
    .map((part) => [part, ...servers.map(({ shares }) => `${(100 * (shares.get(part) ?? 0)).toFixed(1)} %`)]);
  return table(["busy time of", ...servers.map(({ name }) => name)], lines, 1);
}

/** Threads write a profile each; the names are `CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile`. */
function newestOfMainThread(folder: string): CpuProfile | undefined {
  const names = readdirSync(folder).filter((name) => /\.0\.\d+\.cpuprofile$/.test(name));
  const newest = names.sort().at(-1);
  if (newest === undefined) return undefined;
  return JSON.parse(readFileSync(join(folder, newest), "utf8")) as CpuProfile;
}

function sharesOf({ nodes, samples, timeDeltas }: CpuProfile): Map<string, number> {
  const partOf = new Map(nodes.map(({ id, callFrame }) => [id, part(callFrame.functionName, callFrame.url)]));
  const times = new Map<string, number>();
  let busy = 0;
  for (const [index, id] of samples.entries()) {
    const name = partOf.get(id);
    if (name === undefined) continue;
    const time = timeDeltas[index] ?? 0;
    busy += time;
    times.set(name, (times.get(name) ?? 0) + time);
  }
  return new Map([...times].map(([name, time]) => [name, time / busy]));
}

/** Undefined while the thread has nothing to do. */
function part(functionName: string, url: string): string | undefined {
  if (functionName === "(idle)") return undefined;
  if (functionName === "(garbage collector)") return "garbage collector";
  return PARTS.find(([, place]) => place.test(url))?.[0] ?? "native code";
}
