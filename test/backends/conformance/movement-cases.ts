import { add, argument, multiply, constant } from "../../../src/primitives/expression.js";
import type { ConformanceCase } from "../../support/conformance-case.js";
import { coordinates, sizeOf, tensor, valueAt } from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

function transposeCase(dims: readonly number[], axes: readonly number[], perSample = true): ConformanceCase {
  const target = axes.map((axis) => dims[axis] ?? 1);
  return {
    name: `transpose [${dims.join(" x ")}] by ${axes.join(", ")}${perSample ? "" : ", a parameter"}`,
    build: (b) => {
      const output = b.temporary(target, perSample);
      b.emit("transpose", [b.input("x", dims, perSample)], output, { axes }).output("y", output);
    },
    inputs: (samples) => ({ x: eighths(sizeOf(dims) * (perSample ? samples : 1), samples) }),
    expected: ({ x = [] }, samples) => {
      const count = perSample ? samples : 1;
      const from = tensor([...dims, count], x);
      return {
        y: coordinates([...target, count]).map((place) => {
          const source = new Array<number>(dims.length);
          axes.forEach((axis, i) => (source[axis] = place[i]!));
          return valueAt(from, [...source, place.at(-1)!])!;
        }),
      };
    },
  };
}

export const movementCases: ConformanceCase[] = [
  transposeCase([3, 4], [1, 0]),
  transposeCase([3, 4], [1, 0], false),
  transposeCase([2, 3, 4], [2, 0, 1]),
  transposeCase([2, 3, 4], [0, 2, 1]),
  transposeCase([3, 1, 4], [1, 2, 0]),
  transposeCase([2, 3, 2, 3], [3, 1, 0, 2]),
  {
    name: "copy under another shape",
    build: (b) => {
      const output = b.temporary([6, 2]);
      b.emit("copy", [b.input("x", [3, 4])], output, {}).output("y", output);
    },
    inputs: (samples) => ({ x: eighths(12 * samples, samples) }),
    expected: ({ x = [] }) => ({ y: x }),
  },
  {
    name: "operands that regroup a buffer's dims",
    build: (b) => {
      const x = b.input("x", [2, 6]);
      const y = b.temporary([4, 3]);
      const reads = [{ ...x, dims: [4, 3] }, b.input("p", [1, 3], false)];
      b.emit("map", reads, y, { expression: add(argument(0), argument(1)) });
      const z = b.temporary([1]);
      b.emit("reduce", [{ ...y, dims: [12] }], z, { operation: "sum", scale: 1, gaps: "skipped" });
      b.output("y", y).output("z", z);
    },
    inputs: (samples) => ({ x: eighths(12 * samples, samples), p: [1, 10, 100] }),
    expected: ({ x = [] }, samples) => {
      const y = x.map((value, i) => value + [1, 10, 100][Math.floor(i / 4) % 3]!);
      const z = Array.from({ length: samples }, (_, n) =>
        y.slice(12 * n, 12 * n + 12).reduce((s, v) => s + v, 0),
      );
      return { y, z };
    },
  },
  {
    name: "many temporaries one after another",
    build: (b) => {
      let x = b.input("x", [5]);
      for (let step = 0; step < 6; step++) {
        const wide = b.temporary([5, 3]);
        b.emit("map", [x], wide, { expression: multiply(argument(0), constant(0.5)) });
        const sum = b.temporary([5]);
        b.emit("reduce", [wide], sum, { operation: "sum", scale: 1, gaps: "skipped" });
        x = sum;
      }
      b.output("y", x);
    },
    inputs: (samples) => ({ x: eighths(5 * samples, samples) }),
    expected: ({ x = [] }) => ({ y: x.map((value) => value * 1.5 ** 6) }),
  },
];
