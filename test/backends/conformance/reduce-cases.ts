import type { ReduceOperation } from "../../../src/primitives/parameters.js";
import type { ConformanceCase } from "../../support/conformance-case.js";
import { reduce, sizeOf, tensor } from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

function reduceCase(
  operation: ReduceOperation,
  from: { dims: readonly number[]; perSample: boolean },
  to: { dims: readonly number[]; perSample: boolean },
  scale = 1,
): ConformanceCase {
  const shape = ({ dims, perSample }: typeof from) =>
    `[${[...dims, ...(perSample ? ["N"] : [])].join(" x ")}]`;
  return {
    name: `${operation} ${shape(from)} to ${shape(to)}${scale === 1 ? "" : ` · ${scale}`}`,
    build: (b) => {
      const input = b.input("x", from.dims, from.perSample);
      const output = b.temporary(to.dims, to.perSample);
      b.emit("reduce", [input], output, { operation, scale, gaps: "skipped" }).output("y", output);
    },
    inputs: (samples) => ({ x: eighths(sizeOf(from.dims) * (from.perSample ? samples : 1), samples) }),
    expected: ({ x = [] }, samples) => {
      const rank = from.dims.length;
      const padded = Array.from({ length: rank }, (_, axis) => to.dims[axis] ?? 1);
      const fromDims = from.perSample ? [...from.dims, samples] : from.dims;
      const toDims = from.perSample ? [...padded, to.perSample ? samples : 1] : padded;
      return { y: [...reduce(operation, tensor(fromDims, x), toDims, scale).values] };
    },
  };
}

const each = (...dims: number[]) => ({ dims, perSample: true });
const once = (...dims: number[]) => ({ dims, perSample: false });
const operations: readonly ReduceOperation[] = ["sum", "max", "min", "product", "logSum", "argmax", "argmin"];

export const reduceCases: ConformanceCase[] = [
  ...operations.flatMap((operation) => [
    reduceCase(operation, each(4, 3), each(1, 1)),
    reduceCase(operation, each(4, 3), each(4, 1)),
    reduceCase(operation, each(4, 3), each(1, 3)),
    reduceCase(operation, once(4, 3), once(1)),
    reduceCase(operation, each(2, 3, 2), each(1, 3, 1)),
  ]),
  reduceCase("sum", each(4, 3), once(4, 3)),
  reduceCase("sum", each(4, 3), once(1, 3)),
  reduceCase("sum", each(4, 3), once(4)),
  reduceCase("sum", each(5, 4, 3), once(1, 1, 3)),
  reduceCase("sum", each(4), once(1)),
  reduceCase("sum", each(1), once()),
  reduceCase("sum", each(2, 3, 4), once(2, 1, 4)),
  reduceCase("max", each(4, 3), once(1)),
  // Means: the sum, rounded, times the inverse of the count.
  reduceCase("sum", each(28, 2), each(1), 1 / 56),
  reduceCase("sum", each(7), once(7), 0.3),
  // Nothing to reduce but a scale.
  reduceCase("sum", each(4, 3), each(4, 3), 0.5),
  {
    name: "argmax and argmin take the lowest index among equals",
    build: (b) => {
      const input = b.input("x", [5]);
      const high = b.temporary([1]);
      const low = b.temporary([1]);
      b.emit("reduce", [input], high, { operation: "argmax", scale: 1, gaps: "skipped" });
      b.emit("reduce", [input], low, { operation: "argmin", scale: 1, gaps: "skipped" });
      b.output("high", high).output("low", low);
    },
    inputs: (samples) => ({ x: Array.from({ length: samples }, () => [0, 2, -1, 2, -1]).flat() }),
    expected: (_, samples) => ({ high: Array(samples).fill(1), low: Array(samples).fill(2) }),
  },
  {
    name: "logSum neither overflows nor underflows",
    build: (b) => {
      const input = b.input("x", [3]);
      const output = b.temporary([1]);
      b.emit("reduce", [input], output, { operation: "logSum", scale: 1, gaps: "skipped" }).output(
        "y",
        output,
      );
    },
    inputs: (samples) => ({
      x: Array.from({ length: samples }, (_, n) =>
        n % 2 ? [-2000, -2000, -2001] : [1000, 999, -1000],
      ).flat(),
    }),
    expected: (_, samples) => ({
      y: Array.from({ length: samples }, (_, n) =>
        n % 2 ? -2000 + Math.log(2 + Math.exp(-1)) : 1000 + Math.log(1 + Math.exp(-1)),
      ),
    }),
  },
];
