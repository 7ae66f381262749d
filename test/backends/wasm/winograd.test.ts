import { expect, it } from "vitest";
import type { Backend } from "../../../src/backends/backend.js";
import { javascriptBackend } from "../../../src/backends/javascript/index.js";
import { wasmBackend } from "../../../src/backends/wasm/index.js";
import { geometry } from "../../support/geometry.js";
import { eighths, PlanBuilder, runOn } from "../../support/plan-builder.js";

const deep = geometry({
  input: [9, 10, 25],
  kernel: [3, 3, 25],
  lower: [1, 1, 0],
  upper: [1, 1, 0],
  maps: [1, 1, 24],
});

/** Gradient of 25 x 24 kernels over a few samples. */
async function gradient(backend: Backend, samples: number): Promise<readonly number[]> {
  const b = new PlanBuilder("float");
  const output = b.temporary([3, 3, 25, 24], false);
  const reads = [b.input("x", deep.input), b.input("g", deep.output)];
  b.emit("convolutionWeightGradient", reads, output, { geometry: deep }).output("y", output);
  const executable = await backend.compile(b.plan());
  const inputs = { x: eighths(9 * 10 * 25 * samples, 1), g: eighths(9 * 10 * 24 * samples, 2) };
  const outputs = await runOn(executable, "float", samples, inputs);
  await executable.dispose();
  return [...(outputs["y"] ?? [])];
}

it.each([1, 2, 5])("the gradient of deep 3x3 kernels is that of plain loops, %d samples", async (samples) => {
  const expected = await gradient(javascriptBackend, samples);
  const largest = Math.max(...expected.map(Math.abs));
  const found = await gradient(wasmBackend, samples);
  expect(found).toHaveLength(expected.length);
  const worst = Math.max(...found.map((value, i) => Math.abs(value - expected[i]!)));
  expect(worst / largest).toBeLessThan(1e-6);
});
