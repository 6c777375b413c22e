// The test suites in TypeScript. `npx vitest` watches them all, `npx vitest --project unit` one.
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes a minute or more comes first: begun last, it would have one core at work and leave the others idle. */
class LongestFirst extends BaseSequencer {
  static readonly #long = ["tests/model/", "tests/crash/", "tests/faults/", "storage/sqlite/"];

  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) =>
      LongestFirst.#long.some((folder) => moduleId.includes(folder));
    const sorted = await super.sort(files);
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))];
  }
}

export default defineConfig({
  test: {
    // One more than there are cores: end-to-end tests wait for processes and clocks for a third of their time.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    projects: [
      "packages/bridge",
      { test: { name: "scripts", include: ["scripts/**/*.test.mjs"] } },
      // Real processes, sockets and files; each test file may start its own server.
      {
        test: {
          name: "e2e",
          // As for the unit tests: a worker loads a module once.
          isolate: false,
          include: ["tests/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: ["tests/packages/**", "tests/docs/readme.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      // The packages as users get them: packed, and installed into projects outside the repository, once for all of these.
      {
        test: {
          name: "packages",
          include: ["tests/packages/**/*.test.ts", "tests/docs/readme.test.ts"],
          globalSetup: "tests/packages/install.ts",
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
