import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // No test file changes what others import: modules are loaded once for each worker, not once for each file.
    isolate: false,
    // Nor are they translated again where the text is the same.
    experimental: { fsModuleCache: true },
    // All cores: by default one is left for the watcher, which a run in one go does not need.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
