import { describe, expect, it } from "vitest";
import type { Backend } from "../../../src/backends/backend.js";
import { referenceBackend } from "../../../src/backends/reference/index.js";
import { createWasmBackend } from "../../../src/backends/wasm/index.js";
import { wasmKernels } from "../../../src/backends/wasm/kernels/index.js";
import { RoutineLibrary } from "../../../src/backends/wasm/kernels/kernel.js";
import { wantsPlaces } from "../../../src/backends/wasm/kernels/placed-images.js";
import { PlacesOfPlan } from "../../../src/backends/wasm/places.js";
import type { ElementType } from "../../../src/numerics/values.js";
import { instructionsOf, type Plan } from "../../../src/plan/plan.js";
import { argument, binary, constant, select } from "../../../src/primitives/expression.js";
import { geometry } from "../../support/geometry.js";
import { eighths, fed, plainNumbers, PlanBuilder } from "../../support/plan-builder.js";

/** Images of which most cells are zero, and images that are convolved with them. */
interface Sizes {
  readonly size: readonly [number, number];
  readonly window: number;
  readonly kernel: readonly [number, number];
  readonly channels: number;
  readonly maps: number;
}

const cases: readonly (readonly [string, Sizes])[] = [
  ["windows of 4x4 cells", { size: [12, 8], window: 4, kernel: [5, 5], channels: 1, maps: 1 }],
  ["several maps and channels", { size: [12, 8], window: 4, kernel: [5, 3], channels: 3, maps: 2 }],
  ["windows of 2x2 cells", { size: [6, 10], window: 2, kernel: [3, 3], channels: 2, maps: 3 }],
  ["wide kernels", { size: [8, 8], window: 4, kernel: [11, 3], channels: 1, maps: 2 }],
];

/** Unpooling and the gradient of the same pooling, each with the gradients of a convolution behind it. */
function plan(elementType: ElementType, { size, window, kernel, channels, maps }: Sizes): Plan {
  const pads = [...kernel.map((width) => (width - 1) / 2), 0];
  const convolution = geometry({
    ...{ input: [...size, channels], kernel: [...kernel, channels] },
    ...{ lower: pads, upper: pads, maps: [1, 1, maps] },
  });
  const pooling = geometry({
    ...{ input: [...size, maps], kernel: [window, window, 1], stride: [window, window, 1] },
  });
  const b = new PlanBuilder(elementType);
  const x = b.input("x", pooling.input);
  const image = b.input("image", convolution.input);
  const slopes = b.input("slopes", pooling.output);
  const weights = b.state("weights", [...kernel, channels, maps]);
  const [pooled, unpooled, spread, masked] = [
    b.temporary(pooling.output),
    b.temporary(pooling.input),
    b.temporary(pooling.input),
    b.temporary(pooling.input),
  ];
  b.emit("pool", [x], pooled, { mode: "max", includePad: false, geometry: pooling });
  b.emit("maxUnpool", [pooled, x], unpooled, { geometry: pooling });
  b.emit("poolGradient", [slopes, x, pooled], spread, { mode: "max", includePad: false, geometry: pooling });
  const isPositive = binary("greater", argument(0), constant(0));
  b.emit("map", [x, spread], masked, { expression: select(isPositive, argument(1), constant(0)) });
  [unpooled, masked].forEach((sparse, i) => {
    const [cells, kernels] = [b.temporary(convolution.input), b.temporary(weights.dims, false)];
    b.emit("convolutionInputGradient", [weights, sparse], cells, { geometry: convolution });
    b.emit("convolutionWeightGradient", [image, sparse], kernels, { geometry: convolution });
    b.output(`cells ${i}`, cells).output(`kernels ${i}`, kernels);
  });
  return b.plan();
}

/** Three sequences of unequal length, so that there are gaps. */
const layout = {
  rows: 2,
  steps: 3,
  sequences: [
    { sequence: 0, row: 0, begin: 0, length: 3 },
    { sequence: 1, row: 1, begin: 0, length: 2 },
  ],
};

async function outputs(backend: Backend, elementType: ElementType, sizes: Sizes) {
  const { size, window, kernel, channels, maps } = sizes;
  const area = size[0] * size[1];
  const count = layout.rows * layout.steps;
  const executable = await backend.compile(plan(elementType, sizes));
  const weights = eighths(kernel[0] * kernel[1] * channels * maps, 4);
  const values = elementType === "float" ? Float32Array.from(weights) : Float64Array.from(weights);
  await executable.writeState(new Map([["weights", values]]));
  const minibatch = fed(
    elementType,
    { "*": layout },
    {
      x: eighths(area * maps * count, 1),
      image: eighths(area * channels * count, 2),
      slopes: eighths(((area * maps) / window ** 2) * count, 3),
    },
  );
  const found = plainNumbers(await executable.run("evaluate", minibatch));
  await executable.dispose();
  return found;
}

describe.each(cases)("convolutions of images that are zero but for a cell of each window, %s", (_, sizes) => {
  it.each(["float", "double"] as const)("are those of plain loops, %s", async (elementType) => {
    const expected = await outputs(referenceBackend, elementType, sizes);
    expect(await outputs(createWasmBackend(), elementType, sizes)).toEqual(expected);
  });

  it("look at these cells only", () => {
    const made = plan("float", sizes);
    const library = new RoutineLibrary("float", false, (bytes) => new PlacesOfPlan(made, wantsPlaces, bytes));
    for (const instruction of instructionsOf(made.entries.evaluate!.steps)) {
      if (instruction.kind !== "convolutionWeightGradient") continue;
      const calls = wasmKernels.convolutionWeightGradient?.(instruction, library);
      expect(calls?.[0]?.arguments.some((given) => given.kind === "room" && given.place >= 100_000)).toBe(
        true,
      );
    }
  });
});
