import { type Geometry, geometryText } from "./geometry.js";
import type { Operand } from "./instruction.js";
import { sameAxis } from "./operand-rules.js";
import type { PoolParameters, RegionParameters } from "./parameters.js";
import type { Signature } from "./signature.js";

/*
 * The primitives that look through windows: rows of the table in signatures.ts.
 */

type WindowKind =
  | "convolution"
  | "convolutionInputGradient"
  | "convolutionWeightGradient"
  | "pool"
  | "poolGradient"
  | "maxUnpool"
  | "regionPool"
  | "regionPoolGradient";

/** Every output cell looks at one kernel. */
const windowWork = (
  _reads: readonly Operand[],
  _writes: Operand,
  { geometry: { output, kernel } }: { geometry: Geometry },
): number => [...output, ...kernel].reduce((total, size) => total * size, 1);

const windowed = {
  pure: true,
  problem: (reads: readonly Operand[], writes: Operand) => sameAxis(reads, writes),
  work: windowWork,
} as const;

const pooled = {
  ...windowed,
  text: ({ mode, includePad, geometry }: PoolParameters) =>
    `${mode}${includePad ? " with padding" : ""}, ${geometryText(geometry)}`,
} as const;

const regionText = ({ scale, grid }: RegionParameters): string => `grid ${grid.join(":")}, scale ${scale}`;

export const windowSignatures: { readonly [K in WindowKind]: Signature<K> } = {
  convolution: {
    ...windowed,
    doc:
      "result[window + windows·map] = Σ kernel[tap, map]·x[start + window·stride + tap] (cross-correlation). Weights in memory: runs of one " +
      "kernel each (kernel cells, first axis fastest). The number of the run that belongs to an output cell counts, axis by axis with " +
      "the first fastest, the window position if the axis is not shared, then the map if the axis has several (ConvolveGeometry's MpRowIwht)",
    reads: ["weights", "x"],
    text: ({ geometry }) => geometryText(geometry),
  },
  convolutionInputGradient: {
    ...windowed,
    doc: "the adjoint of convolution for x: scatters the gradient through the kernel; also a transposed convolution",
    reads: ["weights", "gradient"],
    text: ({ geometry }) => geometryText(geometry),
  },
  convolutionWeightGradient: {
    pure: true,
    doc: "the adjoint of convolution for the kernel, summed over the columns; gaps add nothing",
    reads: ["x", "gradient"],
    problem: () => undefined,
    work: windowWork,
    text: ({ geometry }) => geometryText(geometry),
  },
  pool: {
    ...pooled,
    doc: "maximum or average of each window; the average divides by the cells inside the input, or with includePad by the kernel's size",
    reads: ["x"],
  },
  poolGradient: {
    ...pooled,
    doc: "the adjoint of pool. max: the whole gradient goes to the first cell of the window (first axis fastest) whose value is ≥ the maximum",
    reads: ["gradient", "x?", "pooled?"],
  },
  maxUnpool: {
    ...windowed,
    doc: "each value at the place of the first maximum of its window in poolInput, zero elsewhere; later windows overwrite",
    reads: ["values", "poolInput"],
    text: ({ geometry }) => geometryText(geometry),
  },
  regionPool: {
    doc:
      "for each region (x1, y1, x2, y2, times scale, rounded) and channel of x [width x height x channels] the maxima of the cells of a " +
      "grid [grid x channels x regions] laid over it; cells outside the image count for nothing, 0 where nothing is left",
    reads: ["x", "regions"],
    pure: true,
    problem: sameAxis,
    text: regionText,
  },
  regionPoolGradient: {
    doc:
      "each cell's gradient at its (first) maximum. As in CNTK none flows below the row whose number is the width, nor into " +
      "regions that begin outside",
    reads: ["gradient", "x", "regions"],
    pure: true,
    problem: sameAxis,
    text: regionText,
  },
};
