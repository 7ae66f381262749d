import { describe, it } from "vitest";
import { presentBackends } from "../support/backends.js";
import { runSequenceCase } from "../support/sequence-case.js";
import { sequenceCases } from "./conformance/sequence-cases.js";
import { sparseCases } from "./conformance/sparse-cases.js";
import { alignmentCases } from "./conformance/alignment-cases.js";
import { rankingCases } from "./conformance/ranking-cases.js";

const cases = [...sequenceCases, ...sparseCases, ...alignmentCases, ...rankingCases];

for (const present of await presentBackends()) {
  if (!("backend" in present)) {
    it.skip(`backend ${present.name} is not here: ${present.reason}`, () => undefined);
    continue;
  }
  for (const elementType of present.backend.elementTypes) {
    describe(`${present.name}, ${elementType}`, () => {
      it.each(cases.map((test) => [test.name, test] as const))("%s", async (_, test) => {
        await runSequenceCase(present.backend, elementType, test);
      });
    });
  }
}
