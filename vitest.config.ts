// The test suites in TypeScript. `npx vitest` watches them all, `npx vitest --project unit` one.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      "packages/bridge",
      { test: { name: "scripts", include: ["scripts/**/*.test.mjs"] } },
      // Real processes, sockets and files; each test file may start its own server.
      {
        test: {
          name: "e2e",
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
