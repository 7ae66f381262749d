import type { ConformanceCase } from "../../support/conformance-case.js";
import { matmul, tensor } from "../../support/naive.js";
import { eighths } from "../../support/plan-builder.js";

interface Matrix {
  readonly rows: number;
  readonly columns: number;
  readonly perSample: boolean;
}

function matmulCase(
  name: string,
  a: Matrix,
  b: Matrix,
  output: Matrix,
  transposeA = false,
  transposeB = false,
): ConformanceCase {
  const columnsOf = (m: Matrix, samples: number) => m.columns * (m.perSample ? samples : 1);
  return {
    name: `matmul, ${name}`,
    build: (builder) => {
      const left = builder.input("a", [a.rows, a.columns], a.perSample);
      const right = builder.input("b", [b.rows, b.columns], b.perSample);
      const product = builder.temporary([output.rows, output.columns], output.perSample);
      builder.emit("matmul", [left, right], product, { transposeA, transposeB });
      builder.output("c", product);
    },
    inputs: (samples) => ({
      a: eighths(a.rows * columnsOf(a, samples), 3),
      b: eighths(b.rows * columnsOf(b, samples), 4),
    }),
    expected: (inputs, samples) => ({
      c: [
        ...matmul(
          tensor([a.rows, columnsOf(a, samples)], inputs["a"] ?? []),
          tensor([b.rows, columnsOf(b, samples)], inputs["b"] ?? []),
          transposeA,
          transposeB,
        ).values,
      ],
    }),
  };
}

const parameter = (rows: number, columns: number): Matrix => ({ rows, columns, perSample: false });
const data = (rows: number, columns = 1): Matrix => ({ rows, columns, perSample: true });

export const matmulCases: ConformanceCase[] = [
  matmulCase("a layer", parameter(7, 5), data(5), data(7)),
  matmulCase("a transposed layer", parameter(5, 7), data(5), data(7), true),
  matmulCase("gradient of the data", parameter(7, 5), data(7), data(5), true),
  matmulCase("gradient of the weights", data(7), data(5), parameter(7, 5), false, true),
  matmulCase("gradient of transposed weights", data(5), data(7), parameter(5, 7), false, true),
  matmulCase("several columns per sample", parameter(3, 4), data(4, 2), data(3, 2)),
  matmulCase("parameters only", parameter(3, 4), parameter(4, 6), parameter(3, 6)),
  matmulCase("both transposed", parameter(4, 3), parameter(6, 4), parameter(3, 6), true, true),
  matmulCase("one row", parameter(1, 9), data(9), data(1)),
  matmulCase("one contracted cell", parameter(6, 1), data(1), data(6)),
  matmulCase("larger than the blocks", parameter(9, 801), data(801), data(9)),
  matmulCase("a large matrix", parameter(80, 900), data(900), data(80)),
  matmulCase("gradient of many weights", data(27), data(33), parameter(27, 33), false, true),
  matmulCase("blocks and rest", parameter(14, 6), data(6, 3), data(14, 3)),
];
