import * as e from "../../../src/primitives/expression.js";
import type { ConformanceCase } from "../../support/conformance-case.js";
import { elementwise, sizeOf, tensor } from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

interface Argument {
  readonly dims: readonly number[];
  readonly perSample: boolean;
}

/** An expression over inputs of the given shapes, with random eighths. */
function elementwiseCase(
  name: string,
  expression: e.Expression,
  shapes: readonly Argument[],
  output: Argument,
  scalars: Readonly<Record<string, number>> = {},
): ConformanceCase {
  const dimsOf = ({ dims, perSample }: Argument, samples: number) =>
    perSample ? [...pad(dims, output.dims.length), samples] : dims;
  return {
    name,
    scalars,
    build: (b) => {
      const inputs = shapes.map(({ dims, perSample }, k) => b.input(`x${k}`, dims, perSample));
      const y = b.temporary(output.dims, output.perSample);
      b.emit("map", inputs, y, { expression }).output("y", y);
    },
    inputs: (samples) =>
      Object.fromEntries(
        shapes.map((shape, k) => [`x${k}`, eighths(sizeOf(dimsOf(shape, samples)), 7 * k + samples)]),
      ),
    expected: (inputs, samples) => ({
      y: [
        ...elementwise(
          expression,
          shapes.map((shape, k) => tensor(dimsOf(shape, samples), inputs[`x${k}`] ?? [])),
          dimsOf(output, samples),
          scalars,
        ).values,
      ],
    }),
  };
}

/** Missing trailing dims count as 1. */
function pad(dims: readonly number[], rank: number): number[] {
  return Array.from({ length: rank }, (_, axis) => dims[axis] ?? 1);
}

const each = (dims: readonly number[]): Argument => ({ dims, perSample: true });
const once = (dims: readonly number[]): Argument => ({ dims, perSample: false });
const [x, y, z] = [e.argument(0), e.argument(1), e.argument(2)];

const broadcastings: readonly [string, Argument, Argument, Argument][] = [
  ["same shape", each([3, 4]), each([3, 4]), each([3, 4])],
  ["a parameter over the samples", each([3, 4]), once([3, 4]), each([3, 4])],
  ["parameters only", once([3, 4]), once([3, 4]), once([3, 4])],
  ["a scalar parameter", each([3, 4]), once([1]), each([3, 4])],
  ["a scalar of rank 0", each([3, 4]), once([]), each([3, 4])],
  ["a scalar of many dims", each([3]), once([1, 1]), each([3, 1])],
  ["a value per sample", each([3, 4]), each([1]), each([3, 4])],
  ["first axis only", each([3, 4]), once([3]), each([3, 4])],
  ["second axis only", each([3, 4]), once([1, 4]), each([3, 4])],
  ["both stretched", each([3, 1]), each([1, 4]), each([3, 4])],
  ["middle axis", each([2, 3, 4]), once([1, 3, 1]), each([2, 3, 4])],
  ["outer axes", each([2, 3, 4]), once([2, 1, 4]), each([2, 3, 4])],
  ["bias of a convolution", each([5, 4, 3]), once([1, 1, 3]), each([5, 4, 3])],
  ["samples from one side only", once([2, 3]), each([2, 1]), each([2, 3])],
  ["per-sample middle axis", each([2, 3, 2]), each([1, 3, 1]), each([2, 3, 2])],
];

/** Arguments where the guards matter. */
const specials = [-Infinity, -2, -1, -0.5, -1e-40, 0, 1e-40, 1e-30, 0.25, 1, 1.5, 3, 80, Infinity];
const usable: Partial<Record<string, (x: number) => boolean>> = {
  sine: Number.isFinite,
  cosine: Number.isFinite,
  exponential: (x) => x <= 80,
  // 1e40 is no float.
  reciprocal: (x) => x === 0 || Math.abs(x) > 1e-38,
};

function specialCase(operator: (typeof e.unaryOperators)[number]): ConformanceCase {
  const values = specials.filter(usable[operator] ?? (() => true)).map(Math.fround);
  const expression = e.unary(operator, x);
  return {
    name: `${operator} at special values`,
    build: (b) => {
      const input = b.input("x", [values.length]);
      const output = b.temporary([values.length]);
      b.emit("map", [input], output, { expression }).output("y", output);
    },
    inputs: (samples) => ({ x: Array.from({ length: samples }, () => values).flat() }),
    expected: ({ x: given = [] }) => ({
      y: [...elementwise(expression, [tensor([given.length], given)], [given.length]).values],
    }),
  };
}

export const elementwiseCases: ConformanceCase[] = [
  ...broadcastings.map(([name, a, b, out]) =>
    elementwiseCase(`x·y + x − y, ${name}`, e.subtract(e.add(e.multiply(x, y), x), y), [a, b], out),
  ),
  ...e.unaryOperators.map((operator) =>
    elementwiseCase(operator, e.unary(operator, x), [each([3, 4])], each([3, 4])),
  ),
  ...e.unaryOperators.map(specialCase),
  ...e.binaryOperators.map((operator) =>
    elementwiseCase(operator, e.binary(operator, x, y), [each([9, 7]), each([9, 7])], each([9, 7])),
  ),
  elementwiseCase(
    "three arguments, constants, a chain of operations",
    e.add(e.multiply(e.constant(0.1), e.unary("sigmoid", e.add(x, z))), e.divide(y, e.constant(3))),
    [each([4]), once([4]), each([1])],
    each([4]),
  ),
  elementwiseCase(
    "select",
    e.select(e.binary("greater", x, y), e.multiply(x, e.constant(2)), e.constant(-1)),
    [each([5, 2]), each([5, 2])],
    each([5, 2]),
  ),
  elementwiseCase(
    "run-time scalars",
    e.subtract(e.multiply(e.scalar("learningRate"), x), e.multiply(y, e.scalar("momentum"))),
    [once([6]), once([6])],
    once([6]),
    { learningRate: 0.3, momentum: 0.9 },
  ),
  {
    name: "the number of samples",
    build: (b) => {
      const input = b.input("x0", [2]);
      const samples = b.temporary([1], false);
      const output = b.temporary([2]);
      b.emit("count", [input], samples, { what: "samples" });
      b.emit("map", [input, samples], output, { expression: e.divide(x, y) }).output("y", output);
    },
    inputs: (samples) => ({ x0: eighths(2 * samples, samples) }),
    expected: (inputs, samples) => ({
      y: [
        ...elementwise(
          e.divide(x, e.scalar("samples")),
          [tensor([2, samples], inputs["x0"] ?? [])],
          [2, samples],
          { samples },
        ).values,
      ],
    }),
  },
  elementwiseCase("stretched to the output's shape", x, [each([1, 3])], each([4, 3])),
  elementwiseCase("a parameter for every sample", x, [once([3])], each([3])),
  elementwiseCase("no arguments", e.constant(1), [], each([3])),
];
