import { binaryFunctions, unaryFunctions } from "../../src/primitives/scalar-functions.js";
import type { Expression } from "../../src/primitives/expression.js";
import type { Geometry } from "../../src/primitives/geometry.js";
import type { ReduceOperation } from "../../src/primitives/parameters.js";

/**
 * A second implementation of the primitives, written for clarity only: every result cell is computed from its
 * coordinates by the formula in its definition. Tensors carry the samples as an ordinary last axis.
 */
export interface Tensor {
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

export function tensor(dims: readonly number[], values: readonly number[]): Tensor {
  if (sizeOf(dims) !== values.length) throw new Error("a tensor needs as many values as its dims say");
  return { dims, values };
}

export function sizeOf(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

/** All coordinates, first axis fastest. */
export function coordinates(dims: readonly number[]): number[][] {
  return dims.reduce<number[][]>(
    (all, dim) => Array.from({ length: dim }, (_, i) => all.map((rest) => [...rest, i])).flat(),
    [[]],
  );
}

/** The value at a place; an axis of length 1 (or missing) is stretched; undefined outside. */
export function valueAt({ dims, values }: Tensor, place: readonly number[]): number | undefined {
  let index = 0;
  let step = 1;
  for (const [axis, dim] of dims.entries()) {
    const coordinate = dim === 1 ? 0 : (place[axis] ?? 0);
    if (coordinate < 0 || coordinate >= dim) return undefined;
    index += coordinate * step;
    step *= dim;
  }
  return values[index];
}

function make(dims: readonly number[], cell: (place: number[]) => number): Tensor {
  return tensor(dims, coordinates(dims).map(cell));
}

export function evaluate(
  expression: Expression,
  args: readonly number[],
  scalars: Readonly<Record<string, number>>,
): number {
  const value = (e: Expression): number => {
    switch (e.kind) {
      case "argument":
        return args[e.index] ?? NaN;
      case "constant":
        return e.value;
      case "scalar":
        return scalars[e.name] ?? NaN;
      case "unary":
        return unaryFunctions[e.operator](value(e.x), (x) => x);
      case "binary":
        return binaryFunctions[e.operator](value(e.a), value(e.b), (x) => x);
      case "select":
        return value(e.test) !== 0 ? value(e.whenTrue) : value(e.whenFalse);
    }
  };
  return value(expression);
}

export function elementwise(
  expression: Expression,
  inputs: readonly Tensor[],
  dims: readonly number[],
  scalars: Readonly<Record<string, number>> = {},
): Tensor {
  return make(dims, (place) =>
    evaluate(
      expression,
      inputs.map((input) => valueAt(input, place) ?? NaN),
      scalars,
    ),
  );
}

export function reduce(
  operation: ReduceOperation,
  input: Tensor,
  dims: readonly number[],
  scale = 1,
): Tensor {
  return make(dims, (place) => {
    const cells = coordinates(input.dims)
      .filter((p) => p.every((coordinate, axis) => (dims[axis] ?? 1) === 1 || coordinate === place[axis]))
      .map((p) => valueAt(input, p) ?? NaN);
    return scale * reductions[operation](cells);
  });
}

const reductions: Record<ReduceOperation, (cells: number[]) => number> = {
  sum: (cells) => cells.reduce((sum, x) => sum + x, 0),
  product: (cells) => cells.reduce((product, x) => product * x, 1),
  max: (cells) => Math.max(...cells),
  min: (cells) => Math.min(...cells),
  logSum: (cells) => Math.log(cells.reduce((sum, x) => sum + Math.exp(x), 0)),
  argmax: (cells) => cells.indexOf(Math.max(...cells)),
  argmin: (cells) => cells.indexOf(Math.min(...cells)),
};

/** Matrices `[rows x columns]`. */
export function matmul(a: Tensor, b: Tensor, transposeA = false, transposeB = false): Tensor {
  const at = (m: Tensor, transposed: boolean, i: number, j: number) =>
    valueAt(m, transposed ? [j, i] : [i, j]) ?? NaN;
  const inner = a.dims[transposeA ? 0 : 1] ?? 1;
  return make([a.dims[transposeA ? 1 : 0] ?? 1, b.dims[transposeB ? 0 : 1] ?? 1], ([i = 0, j = 0]) => {
    let sum = 0;
    for (let p = 0; p < inner; p++) sum += at(a, transposeA, i, p) * at(b, transposeB, p, j);
    return sum;
  });
}

/** One term of a convolution: output cell, input cell, weight; all of one sample. */
interface Term {
  readonly output: number[];
  readonly input: number[];
  readonly weight: number;
}

/** All terms inside the input, in the order window by window, tap by tap. */
export function convolutionTerms(g: Geometry): Term[] {
  const terms: Term[] = [];
  for (const output of coordinates(g.output)) {
    const window = output.map((coordinate, axis) => coordinate % g.windows[axis]!);
    const map = output.map((coordinate, axis) => Math.floor(coordinate / g.windows[axis]!));
    // Kernel number: axis by axis, an unshared window position, then the map.
    const digits = g.input.flatMap((_, axis) => [
      ...(g.sharing[axis] ? [] : [{ value: window[axis]!, base: g.windows[axis]! }]),
      { value: map[axis]!, base: g.maps[axis]! },
    ]);
    const kernel = digits.reduceRight((number, { value, base }) => number * base + value, 0);
    for (const [tapNumber, tap] of coordinates(g.kernel).entries()) {
      const input = tap.map((t, axis) => g.start[axis]! + window[axis]! * g.stride[axis]! + t);
      if (input.some((coordinate, axis) => coordinate < 0 || coordinate >= g.input[axis]!)) continue;
      terms.push({ output, input, weight: kernel * sizeOf(g.kernel) + tapNumber });
    }
  }
  return terms;
}

function flatIndex(dims: readonly number[], place: readonly number[]): number {
  return place.reduceRight((index, coordinate, axis) => index * dims[axis]! + coordinate, 0);
}

export function convolution(g: Geometry, weights: readonly number[], input: Tensor, samples: number): Tensor {
  const values = new Array<number>(sizeOf(g.output) * samples).fill(0);
  for (const { output, input: from, weight } of convolutionTerms(g)) {
    for (let n = 0; n < samples; n++) {
      values[flatIndex([...g.output, samples], [...output, n])]! +=
        weights[weight]! * valueAt(input, [...from, n])!;
    }
  }
  return tensor([...g.output, samples], values);
}

export function convolutionInputGradient(
  g: Geometry,
  weights: readonly number[],
  gradient: Tensor,
  samples: number,
): Tensor {
  const values = new Array<number>(sizeOf(g.input) * samples).fill(0);
  for (const { output, input: to, weight } of convolutionTerms(g)) {
    for (let n = 0; n < samples; n++) {
      values[flatIndex([...g.input, samples], [...to, n])]! +=
        weights[weight]! * valueAt(gradient, [...output, n])!;
    }
  }
  return tensor([...g.input, samples], values);
}

export function convolutionWeightGradient(
  g: Geometry,
  weightCount: number,
  input: Tensor,
  gradient: Tensor,
  samples: number,
): number[] {
  const values = new Array<number>(weightCount).fill(0);
  for (const { output, input: from, weight } of convolutionTerms(g)) {
    for (let n = 0; n < samples; n++) {
      values[weight]! += valueAt(input, [...from, n])! * valueAt(gradient, [...output, n])!;
    }
  }
  return values;
}

/** The input cells under each output cell of a pooling, in window order. */
export function windowsOf(g: Geometry): { output: number[]; cells: number[][] }[] {
  return coordinates(g.output).map((output) => ({
    output,
    cells: convolutionTerms(g)
      .filter((term) => term.output.every((coordinate, axis) => coordinate === output[axis]))
      .map((term) => term.input),
  }));
}
