// The test suites in TypeScript. `npx vitest` watches them all, `npx vitest --project unit` one.
import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    // One fewer is what Vitest takes by itself, which leaves half of a small machine idle.
    maxWorkers: availableParallelism(),
    projects: [
      "packages/bridge",
      { test: { name: "scripts", include: ["scripts/**/*.test.mjs"] } },
      // Real processes, sockets and files; each test file may start its own server.
      {
        test: {
          name: "e2e",
          include: ["tests/**/*.test.ts", "bench/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
