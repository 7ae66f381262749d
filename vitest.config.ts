import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { RunningTests } from "./test/support/running-tests.js";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // No test file changes what others import: modules are loaded once for each worker, not once for each file.
    isolate: false,
    // All cores: by default one is left for the watcher, which a run in one go does not need.
    maxWorkers: availableParallelism(),
    reporters: ["default", new RunningTests()],
    // Against hanging only: the longest test takes a minute and a half on an idle machine, and machines are not always idle.
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
