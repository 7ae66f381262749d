// Writes docs/features.md from the registry of node types (build first).
import { writeFileSync } from "node:fs";
import { describeOperations } from "../dist/src/ops/describe.js";
import { operations } from "../dist/src/ops/index.js";

writeFileSync(new URL("../docs/features.md", import.meta.url), describeOperations(operations));
