import { describe, expect, it } from "vitest";
import { canFuse } from "../../../src/backends/wasm/emit/engine.js";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { allowRelaxedVectors } from "../../../src/node/platform.js";
import { runCase } from "../../support/conformance-case.js";
import { PlanBuilder, runOn } from "../../support/plan-builder.js";
import { convolutionCases } from "../conformance/convolution-cases.js";
import { matmulCases } from "../conformance/matmul-cases.js";

allowRelaxedVectors();

/** (1 + 2⁻¹²)² − 1 as a product of a row and a column: rounded twice the last bit of the square is lost. */
function square() {
  const b = new PlanBuilder("float");
  const output = b.temporary([1, 1], false);
  const reads = [b.input("a", [1, 2], false), b.input("b", [2, 1], false)];
  b.emit("matmul", reads, output, { transposeA: false, transposeB: false }).output("y", output);
  return b.plan();
}

async function squared(fused: boolean): Promise<number | undefined> {
  const executable = await createWasmBackend(undefined, undefined, fused).compile(square());
  const x = 1 + 2 ** -12;
  const outputs = await runOn(executable, "float", 1, { a: [-1, x], b: [1, x] });
  await executable.dispose();
  return outputs["y"]?.[0];
}

describe.skipIf(!canFuse())("products and sums that round once", () => {
  it("keep what is lost between two roundings, where that is allowed", async () => {
    expect(await squared(true)).toBe(2 ** -11 + 2 ** -24);
    expect(await squared(false)).toBe(2 ** -11);
  });

  const convolutions = convolutionCases.filter(({ name }) => /many|stride|channels and maps/.test(name));
  it.each([...convolutions, ...matmulCases].map((test) => [test.name, test] as const))(
    "%s",
    async (_, test) => {
      await runCase(createWasmBackend(undefined, undefined, true), "float", test);
    },
  );
});
