import type { Tensor, TensorInfo } from "@tensorflow/tfjs-core";
import type { Instruction, MatrixOperand } from "../../../primitives/instruction.js";
import type { Device } from "../device.js";
import { plain } from "../layout.js";
import { tensorOf, type ProgramBuilder } from "../program.js";

type MatmulInstruction = Extract<Instruction, { kind: "matmul" }>;

/**
 * TensorFlow.js's matrix product. CNTK's matrices are column-major, tfjs's row-major: the same memory is the transposed
 * matrix, and (A·B)ᵀ = Bᵀ·Aᵀ, so the operands change places and nothing is moved.
 */
export function addMatmul(builder: ProgramBuilder, instruction: MatmulInstruction): void {
  const { a, b, output, transposeA, transposeB } = instruction;
  const { device } = builder;
  const left = builder.read(b, plain);
  const right = builder.read(a, plain);
  const facts = { elements: output.rows * output.columns, perSample: output.perSample, layout: plain };
  const value = builder.compute([left, right], facts, (frame) =>
    product(
      device,
      { tensor: tensorOf(frame, left), shape: rowMajorShape(b, frame.samples), transpose: transposeB },
      { tensor: tensorOf(frame, right), shape: rowMajorShape(a, frame.samples), transpose: transposeA },
    ),
  );
  builder.assign(output, value);
}

function rowMajorShape(matrix: MatrixOperand, samples: number): [number, number] {
  return [matrix.perSample ? matrix.columns * samples : matrix.columns, matrix.rows];
}

interface Factor {
  readonly tensor: Tensor;
  readonly shape: [number, number];
  readonly transpose: boolean;
}

function product(device: Device, a: Factor, b: Factor): Tensor {
  if (device.variant !== "wasm") {
    return device.call(
      "BatchMatMul",
      { a: device.shaped(a.tensor, a.shape), b: device.shaped(b.tensor, b.shape) },
      { transposeA: a.transpose, transposeB: b.transpose },
    );
  }
  // The wasm kernel hands a product to XNNPACK only if nothing is transposed; its own loops are ten times slower.
  return device.call(
    "BatchMatMul",
    { a: untransposed(device, a), b: untransposed(device, b) },
    { transposeA: false, transposeB: false },
  );
}

function untransposed(device: Device, { tensor, shape, transpose }: Factor): TensorInfo {
  if (!transpose) return device.shaped(tensor, shape);
  const [rows, columns] = shape;
  if (rows === 1 || columns === 1) return device.shaped(tensor, [columns, rows]);
  return device.untilEndOfStep(
    device.call("Transpose", { x: device.shaped(tensor, shape) }, { perm: [1, 0] }),
  );
}
