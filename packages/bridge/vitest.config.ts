// Tests stand beside their sources: *.test.ts run, *.test-d.ts are read by the compiler only.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "unit",
    // A worker loads a module once for all its files, which saves a third of the time. So a test leaves nothing behind in one.
    isolate: false,
    // Long enough for a busy machine; no test waits for time to pass.
    testTimeout: 30_000,
    include: ["src/**/*.test.ts"],
    typecheck: {
      enabled: true,
      include: ["src/**/*.test-d.ts"],
      tsconfig: "../../tsconfig.json",
      // Errors elsewhere are for `tsc`, which runs on its own.
      ignoreSourceErrors: true,
    },
  },
});
