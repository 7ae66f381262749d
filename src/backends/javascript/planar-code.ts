import { compileCode } from "./generated-code.js";

/** Images are processed this many neighbouring cells at a time; rows of scratch images are padded to a multiple. */
export const blockWidth = 4;

/** Smallest multiple of the block width that is not less than `width`. */
export function paddedWidth(width: number): number {
  return Math.ceil(width / blockWidth) * blockWidth;
}

/**
 * Adds the correlation of one image with one kernel to another image:
 * target[y][x] += Σ kernel[ky][kx]·source[y+ky][x+kx]. Rows are `targetWidth` and `sourceWidth` long, images and kernel
 * begin at the given places.
 */
export type Correlate = (
  target: Float64Array,
  source: Float64Array,
  sourceAt: number,
  kernel: Float64Array,
  kernelAt: number,
) => void;

/**
 * Adds Σ over y, x of gradient[y][x]·source[y+ky][x+kx] to kernel[ky][kx]; gradient cells beyond the image's width must
 * be zero.
 */
export type CorrelateKernel = (
  kernel: Float64Array,
  kernelAt: number,
  source: Float64Array,
  sourceAt: number,
  gradient: Float64Array,
  gradientAt: number,
) => void;

export interface PlaneSizes {
  /** Target (or gradient) image; the width counts the padding to whole blocks. */
  readonly width: number;
  readonly height: number;
  /** Length of a row of the source image. */
  readonly sourceWidth: number;
  readonly kernelWidth: number;
  readonly kernelHeight: number;
}

const count = (n: number) => Array.from({ length: n }, (_, i) => i);
const lines = (...parts: (string | string[])[]) => parts.flat().join("\n");

/** The weights sit in local variables, each image cell is loaded once per kernel row for a whole block of results. */
export function compileCorrelate(sizes: PlaneSizes): Correlate {
  const { width, height, sourceWidth, kernelWidth, kernelHeight } = sizes;
  const cells = count(blockWidth);
  const row = (ky: number) =>
    lines(
      count(kernelWidth + blockWidth - 1).map(
        (i) => `const x${ky}_${i} = source[from + ${ky * sourceWidth + i}];`,
      ),
      cells.map((b) => {
        const terms = count(kernelWidth).map((kx) => `w${ky}_${kx} * x${ky}_${b + kx}`);
        return `s${b} += ${terms.join(" + ")};`;
      }),
    );
  return compileCode<Correlate>(
    ["target", "source", "sourceAt", "kernel", "kernelAt"],
    lines(
      count(kernelHeight * kernelWidth).map(
        (k) => `const w${Math.floor(k / kernelWidth)}_${k % kernelWidth} = kernel[kernelAt + ${k}];`,
      ),
      `for (let y = 0; y < ${height}; y++) {`,
      `for (let x = 0; x < ${width}; x += ${blockWidth}) {`,
      `const from = sourceAt + y * ${sourceWidth} + x, to = y * ${width} + x;`,
      cells.map((b) => `let s${b} = target[to + ${b}];`),
      count(kernelHeight).map(row),
      cells.map((b) => `target[to + ${b}] = s${b};`),
      "}",
      "}",
    ),
  );
}

/** One kernel row at a time, its sums in local variables. */
export function compileCorrelateKernel(sizes: PlaneSizes): CorrelateKernel {
  const { width, height, sourceWidth, kernelWidth, kernelHeight } = sizes;
  const cells = count(blockWidth);
  const taps = count(kernelWidth);
  return compileCode<CorrelateKernel>(
    ["kernel", "kernelAt", "source", "sourceAt", "gradient", "gradientAt"],
    lines(
      `for (let ky = 0; ky < ${kernelHeight}; ky++) {`,
      taps.map((kx) => `let s${kx} = 0;`),
      `for (let y = 0; y < ${height}; y++) {`,
      `for (let x = 0; x < ${width}; x += ${blockWidth}) {`,
      `const from = sourceAt + (y + ky) * ${sourceWidth} + x, at = gradientAt + y * ${width} + x;`,
      cells.map((b) => `const g${b} = gradient[at + ${b}];`),
      count(kernelWidth + blockWidth - 1).map((i) => `const x${i} = source[from + ${i}];`),
      taps.map((kx) => `s${kx} += ${cells.map((b) => `g${b} * x${b + kx}`).join(" + ")};`),
      "}",
      "}",
      taps.map((kx) => `kernel[kernelAt + ky * ${kernelWidth} + ${kx}] += s${kx};`),
      "}",
    ),
  );
}
