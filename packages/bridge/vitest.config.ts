// Tests stand beside their sources: *.test.ts run, *.test-d.ts are read by the compiler only.
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "unit",
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
