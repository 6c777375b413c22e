/** What a CPU profile says of a server: the share of each part of the house, and of what it stands on. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { plainTable } from "./table.js";

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

/** A table with a column for each thread of the servers that wrote profiles here: percent of the time it was busy. */
export function profileShares(folder: string): string {
  const folders = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const threads = folders.flatMap(({ name }) =>
    newestOfEachThread(join(folder, name)).map(([thread, profile]) => ({
      name: thread === "0" ? name : `${name}, thread ${thread}`,
      shares: sharesOf(profile),
    })),
  );
  const parts = [...PARTS.map(([part]) => part), "garbage collector", "native code"];
  const lines = parts
    .filter((part) => threads.some(({ shares }) => shares.has(part)))
    .map((part) => [part, ...threads.map(({ shares }) => `${(100 * (shares.get(part) ?? 0)).toFixed(1)} %`)]);
  return plainTable(["busy time of", ...threads.map(({ name }) => name)], lines, 1);
}

/** The names are `CPU.<date>.<time>.<process>.<thread>.<number>.cpuprofile`; thread 0 is the main one. */
function newestOfEachThread(folder: string): [thread: string, profile: CpuProfile][] {
  const newest = new Map<string, string>();
  for (const name of readdirSync(folder).sort()) {
    const thread = /\.(\d+)\.\d+\.cpuprofile$/.exec(name)?.[1];
    if (thread !== undefined) newest.set(thread, name);
  }
  return [...newest]
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([thread, name]) => [thread, JSON.parse(readFileSync(join(folder, name), "utf8")) as CpuProfile]);
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
