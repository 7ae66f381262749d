import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

/** Networks ten thousand layers deep need a heap that no other test has filled: collecting garbage below them takes minutes else. */
const deep = ["test/evaluator/depth.test.ts"];

export default defineConfig({
  test: {
    // Modules are not translated again where the text is the same.
    experimental: { fsModuleCache: true },
    // All cores: by default one is left for the watcher, which a run in one go does not need.
    maxWorkers: availableParallelism(),
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      {
        extends: true,
        // No test file changes what others import: modules are loaded once for each worker, not once for each file.
        test: { name: "shared", include: ["test/**/*.test.ts"], exclude: deep, isolate: false },
      },
      { extends: true, test: { name: "deep", include: deep, isolate: true } },
    ],
  },
});
