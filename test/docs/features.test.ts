import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { describeOperations } from "../../src/ops/describe.js";
import { operations } from "../../src/ops/index.js";

test("docs/features.md is what the registry says (npm run build && npm run features)", () => {
  expect(readFileSync("docs/features.md", "utf8")).toBe(describeOperations(operations));
});
