import type { Geometry } from "../../../src/primitives/geometry.js";
import type { ConformanceCase } from "../../support/conformance-case.js";
import { geometry, weightCount } from "../../support/geometry.js";
import {
  convolution,
  convolutionInputGradient,
  convolutionWeightGradient,
  sizeOf,
  tensor,
} from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

export const convolutionGeometries: readonly [string, Geometry][] = [
  [
    "5x5 same, one map",
    geometry({ input: [8, 7, 1], kernel: [5, 5, 1], lower: [2, 2, 0], upper: [2, 2, 0] }),
  ],
  [
    "5x5 same, channels and maps",
    geometry({ input: [7, 6, 3], kernel: [5, 5, 3], lower: [2, 2, 0], upper: [2, 2, 0], maps: [1, 1, 4] }),
  ],
  ["3x3 valid, maps", geometry({ input: [6, 5, 2], kernel: [3, 3, 2], maps: [1, 1, 3] })],
  [
    "even kernel, one more pad at the end",
    geometry({ input: [5, 5, 1], kernel: [4, 2, 1], lower: [1, 0, 0], upper: [2, 1, 0], maps: [1, 1, 2] }),
  ],
  [
    "stride 2 with pads",
    geometry({
      input: [7, 9, 2],
      kernel: [3, 3, 2],
      stride: [2, 2, 1],
      lower: [1, 1, 0],
      upper: [1, 1, 0],
      maps: [1, 1, 3],
    }),
  ],
  [
    "odd strides, first window inside the input",
    {
      ...geometry({ input: [9, 7, 1], kernel: [1, 3, 1], stride: [3, 2, 1], maps: [1, 1, 2] }),
      start: [1, 0, 0],
    },
  ],
  ["strides that leave cells out", geometry({ input: [8, 8, 1], kernel: [2, 2, 1], stride: [3, 3, 1] })],
  ["1-D", geometry({ input: [9], kernel: [3], lower: [1], upper: [1] })],
  ["1-D over channels", geometry({ input: [9, 2], kernel: [3, 2], maps: [1, 4] })],
  ["2-D without a channel axis", geometry({ input: [6, 5], kernel: [3, 2], lower: [1, 0], upper: [1, 1] })],
  [
    "3-D",
    geometry({
      input: [4, 5, 3, 2],
      kernel: [2, 3, 2, 2],
      stride: [1, 2, 1, 1],
      lower: [0, 1, 1, 0],
      upper: [1, 1, 0, 0],
      maps: [1, 1, 1, 3],
    }),
  ],
  [
    "windows along the channels",
    geometry({ input: [5, 5, 4], kernel: [3, 3, 2], lower: [1, 1, 0], upper: [1, 1, 0], maps: [1, 1, 2] }),
  ],
  ["maps on a spatial axis", geometry({ input: [5, 4, 1], kernel: [3, 3, 1], maps: [2, 1, 3] })],
  [
    "no sharing",
    geometry({ input: [4, 3, 2], kernel: [2, 2, 2], maps: [1, 1, 2], sharing: [false, false, true] }),
  ],
  [
    "no sharing on one axis, pads",
    geometry({
      input: [4, 5, 1],
      kernel: [3, 3, 1],
      lower: [1, 1, 0],
      upper: [1, 1, 0],
      maps: [2, 1, 2],
      sharing: [true, false, true],
    }),
  ],
  ["kernel as large as the input", geometry({ input: [4, 3, 2], kernel: [4, 3, 2], maps: [1, 1, 5] })],
  [
    "stride 2, rows of whole vectors, many maps",
    geometry({
      input: [16, 9, 3],
      kernel: [3, 3, 3],
      stride: [2, 2, 1],
      lower: [1, 1, 0],
      upper: [1, 1, 0],
      maps: [1, 1, 9],
    }),
  ],
  [
    "3x3 same, rows of whole vectors, many maps",
    geometry({ input: [8, 6, 5], kernel: [3, 3, 5], lower: [1, 1, 0], upper: [1, 1, 0], maps: [1, 1, 10] }),
  ],
  [
    "3x3 same, odd sizes, many channels and maps",
    geometry({ input: [7, 5, 8], kernel: [3, 3, 8], lower: [1, 1, 0], upper: [1, 1, 0], maps: [1, 1, 9] }),
  ],
  ["3x3 valid, many channels and maps", geometry({ input: [10, 6, 9], kernel: [3, 3, 9], maps: [1, 1, 8] })],
  ["1x1, many maps", geometry({ input: [7, 7, 5], kernel: [1, 1, 5], maps: [1, 1, 11] })],
  ["1x1, stride 2", geometry({ input: [8, 8, 6], kernel: [1, 1, 6], stride: [2, 2, 1], maps: [1, 1, 8] })],
  [
    "large kernel, stride 3",
    geometry({
      input: [23, 11, 2],
      kernel: [9, 5, 2],
      stride: [3, 2, 1],
      lower: [4, 1, 0],
      upper: [3, 2, 0],
      maps: [1, 1, 8],
    }),
  ],
  ["1x1", geometry({ input: [4, 3, 3], kernel: [1, 1, 3], maps: [1, 1, 2] })],
];

/** Convolution, input and weight gradient; of one image without a sample axis if `perSample` is false. */
function casesOf([name, g]: readonly [string, Geometry], perSample = true): ConformanceCase[] {
  const count = weightCount(g);
  const countOf = (samples: number) => (perSample ? samples : 1);
  const inputs = (samples: number) => ({
    w: eighths(count, 1),
    x: eighths(sizeOf(g.input) * countOf(samples), samples),
    g: eighths(sizeOf(g.output) * countOf(samples), samples + 9),
  });
  const weights = [...g.kernel, count / sizeOf(g.kernel)];
  return [
    {
      name: `convolution, ${name}`,
      inputs: (samples) => ({ w: inputs(samples).w, x: inputs(samples).x }),
      build: (b) => {
        const output = b.temporary(g.output, perSample);
        const reads = [b.input("w", weights, false), b.input("x", g.input, perSample)];
        b.emit("convolution", reads, output, { geometry: g }).output("y", output);
      },
      expected: ({ w = [], x = [] }, samples) => ({
        y: [...convolution(g, w, tensor([...g.input, countOf(samples)], x), countOf(samples)).values],
      }),
    },
    {
      name: `convolution input gradient, ${name}`,
      inputs: (samples) => ({ w: inputs(samples).w, g: inputs(samples).g }),
      build: (b) => {
        const output = b.temporary(g.input, perSample);
        const reads = [b.input("w", weights, false), b.input("g", g.output, perSample)];
        b.emit("convolutionInputGradient", reads, output, { geometry: g }).output("y", output);
      },
      expected: ({ w = [], g: gradient = [] }, samples) => ({
        y: [
          ...convolutionInputGradient(
            g,
            w,
            tensor([...g.output, countOf(samples)], gradient),
            countOf(samples),
          ).values,
        ],
      }),
    },
    {
      name: `convolution weight gradient, ${name}`,
      inputs: (samples) => ({ x: inputs(samples).x, g: inputs(samples).g }),
      build: (b) => {
        const output = b.temporary(weights, false);
        const reads = [b.input("x", g.input, perSample), b.input("g", g.output, perSample)];
        b.emit("convolutionWeightGradient", reads, output, { geometry: g }).output("y", output);
      },
      expected: ({ x = [], g: gradient = [] }, samples) => ({
        y: convolutionWeightGradient(
          g,
          count,
          tensor([...g.input, countOf(samples)], x),
          tensor([...g.output, countOf(samples)], gradient),
          countOf(samples),
        ),
      }),
    },
  ];
}

/** Recorded from CNTK 2.0, CPU build: convolution of a 3x3 image, 2x2 kernels, two maps, no sharing along both axes. */
const recordedUnshared: ConformanceCase = {
  name: "convolution without sharing as CNTK computes it",
  inputs: (samples) => ({
    w: interleaved(
      [-0.024, -1.457, -0.698, -0.261, 1.441, -0.656, -0.977, 0.225],
      [1.19, 0.144, -0.805, 1.347, -0.248, -1.483, 0.016, -1.486],
    ).concat(
      interleaved(
        [-0.115, -1.47, 1.117, -0.467, -1.037, 1.28, 0.392, 1.483],
        [-1.245, -0.52, -0.117, 0.45, 1.26, -1.416, 1.234, 0.388],
      ),
    ),
    x: repeat([0.076, 0.792, 0.429, 0.365, 1.389, -0.691, 0.358, -1.264, -1.176], samples),
  }),
  build: (b) => {
    const g = geometry({
      input: [3, 3, 1],
      kernel: [2, 2, 1],
      maps: [1, 1, 2],
      sharing: [false, false, true],
    });
    const output = b.temporary(g.output);
    const reads = [b.input("w", [2, 2, 1, 8], false), b.input("x", g.input)];
    b.emit("convolution", reads, output, { geometry: g }).output("y", output);
  },
  expected: (_, samples) => ({
    y: repeat([0.608867, -2.191467, 1.821157, 0.095027, -2.25361, -0.125142, 3.619699, -2.639006], samples),
  }),
};

function interleaved(first: readonly number[], second: readonly number[]): number[] {
  return first.flatMap((x, i) => [x, second[i]!]);
}

function repeat(values: readonly number[], times: number): number[] {
  return Array.from({ length: times }, () => values).flat();
}

export const convolutionCases: ConformanceCase[] = [
  ...convolutionGeometries.flatMap((shape) => casesOf(shape)),
  ...casesOf(["an image without samples", convolutionGeometries[1]![1]], false),
  ...casesOf(["an image without samples, strides", convolutionGeometries[4]![1]], false),
  recordedUnshared,
];
