/** Where a run was made, and how quiet it was there: figures without this say nothing. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, loadavg, release, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { pathOf } from "./path.js";

export interface Machine {
  readonly cores: number;
  readonly processor: string;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  /** The versions of the packages and programs that rows use, as far as they are here. */
  readonly versions: Readonly<Record<string, string>>;
}

const PACKAGES = ["@grpc/grpc-js", "@bufbuild/protobuf", "@redis/client"];
const PROGRAMS = ["redis-server", "etcd"];

/** How quiet the machine was during a run. */
export interface NoiseRemark {
  /** The load averages of the last minute. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  /** 1 if the same work always took the same time. */
  readonly slowestToFastestProbe: number;
}

export function describeMachine(): Machine {
  return {
    cores: cpus().length,
    processor: cpus()[0]?.model.trim() ?? "unknown",
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${release()}`,
    node: process.version,
    versions: {
      ...Object.fromEntries(PACKAGES.map((name) => [name, versionOf(name)])),
      ...Object.fromEntries(PROGRAMS.flatMap(programVersion)),
    },
  };
}

/** The version of a package as the benchmark's programs find it. */
function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (let folder = dirname(require.resolve(name)); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      const found = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as Record<string, unknown>;
      if (found["name"] === name) return String(found["version"]);
    } catch {
      // Not the package's root yet.
    }
  }
  return "unknown";
}

/** A program's name and what it says of its version; nothing if it is not here. */
function programVersion(name: string): [name: string, version: string][] {
  const path = pathOf(name);
  if (path === undefined) return [];
  const { stdout } = spawnSync(path, ["--version"], { encoding: "utf8" });
  return [[name, /\d+\.\d+\.\d+/.exec(stdout)?.[0] ?? "unknown"]];
}

/** Each time it is looked at, the machine does the piece of work so often. */
const PROBES = 3;

/** How evenly the machine works: a fixed piece of work is timed again and again. */
export class Noise {
  readonly #times: number[] = [];
  readonly #loadBefore = loadavg()[0] ?? 0;
  /** Kept, so that the work is not optimised away. */
  #sum = 0;

  /** Does the piece of work, some 10 ms of arithmetic. */
  probe(): void {
    // What is not compiled yet takes longer, whatever else the machine does.
    if (this.#times.length === 0) this.#sum = spin(this.#sum);
    for (let i = 0; i < PROBES; i++) {
      const start = performance.now();
      this.#sum = spin(this.#sum);
      this.#times.push(performance.now() - start);
    }
  }

  remark(): NoiseRemark {
    return {
      loadBefore: this.#loadBefore,
      loadAfter: loadavg()[0] ?? 0,
      slowestToFastestProbe: Math.max(...this.#times) / Math.min(...this.#times),
    };
  }
}

function spin(from: number): number {
  let sum = from;
  for (let i = 0; i < 10_000_000; i++) sum = Math.imul(sum + i, 0x9e3779b1);
  return sum;
}
