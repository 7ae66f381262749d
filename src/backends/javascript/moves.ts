import { elementCount } from "../../network/network.js";
import type { InstructionOf, Operand } from "../../primitives/instruction.js";
import { operandAt } from "../host/kernel.js";
import { mergedAxes, type LoopAxis } from "./loop-nest.js";

/** A walk over cells of the result and of an operand with fixed steps in both memories: each cell is copied. */
export interface Move {
  readonly from: Operand;
  /** Steps in the result, then in the operand. */
  readonly axes: readonly LoopAxis[];
  readonly firstTo: number;
  readonly firstFrom: number;
}

/** Kinds that only move numbers. */
export type Movement = "transpose" | "slice" | "pad" | "concatenate";

/** The walks that carry out an instruction; what a `pad` leaves out is 0. */
export function movesOf(instruction: InstructionOf<Movement>): Move[] {
  const { writes } = instruction;
  switch (instruction.kind) {
    case "transpose":
      return [transposed(operandAt(instruction.reads, 0), writes, instruction.parameters.axes)];
    case "slice": {
      const { axis, begin } = instruction.parameters;
      const x = operandAt(instruction.reads, 0);
      return [move(x, writes, sameAxes(writes, x, writes.dims), 0, begin * stepAlong(x.dims, axis))];
    }
    case "pad": {
      const { axis, begin } = instruction.parameters;
      const x = operandAt(instruction.reads, 0);
      return [move(x, writes, sameAxes(writes, x, x.dims), begin * stepAlong(writes.dims, axis))];
    }
    case "concatenate":
      return concatenated(instruction.reads, writes, instruction.parameters.axis);
    default:
      return instruction satisfies never;
  }
}

type Loop = Omit<LoopAxis, "isColumns">;

/** Axis i of the result = axis `axes[i]` of x. */
function transposed(x: Operand, writes: Operand, axes: readonly number[]): Move {
  const [to, from] = [stepsOf(writes.dims), stepsOf(x.dims)];
  const loops = axes.map((axis, i) => ({ size: x.dims[axis] ?? 1, strides: [to[i] ?? 0, from[axis] ?? 0] }));
  return move(x, writes, loops);
}

/** The operands one after another along an axis; in the other axes, and along the columns, they stretch. */
function concatenated(reads: readonly Operand[], writes: Operand, axis: number): Move[] {
  const to = stepsOf(writes.dims);
  let begin = 0;
  return reads.map((x) => {
    const from = stepsOf(x.dims);
    const length = x.dims[axis] ?? 1;
    const loops = allAxes(writes.dims, axis).map((i) => {
      const isStretched = i !== axis && (x.dims[i] ?? 1) === 1;
      const size = i === axis ? length : (writes.dims[i] ?? 1);
      return { size, strides: [to[i] ?? 0, isStretched ? 0 : (from[i] ?? 0)] };
    });
    const part = move(x, writes, loops, begin * stepAlong(writes.dims, axis));
    begin += length;
    return part;
  });
}

function sameAxes(writes: Operand, x: Operand, sizes: readonly number[]): Loop[] {
  const [to, from] = [stepsOf(writes.dims), stepsOf(x.dims)];
  return allAxes(writes.dims).map((i) => ({ size: sizes[i] ?? 1, strides: [to[i] ?? 0, from[i] ?? 0] }));
}

/** For every column of the result. */
function move(from: Operand, writes: Operand, loops: readonly Loop[], firstTo = 0, firstFrom = 0): Move {
  const axes: LoopAxis[] = loops.map((loop) => ({ ...loop, isColumns: false }));
  if (writes.axis !== null) {
    const strides = [elementCount(writes.dims), from.axis === null ? 0 : elementCount(from.dims)];
    axes.push({ size: 1, isColumns: true, strides });
  }
  return { from, axes: mergedAxes(axes), firstTo, firstFrom };
}

/** Distance in memory between neighbours along each axis. */
function stepsOf(dims: readonly number[]): number[] {
  return dims.map((_, axis) => stepAlong(dims, axis));
}

function stepAlong(dims: readonly number[], axis: number): number {
  return elementCount(dims.slice(0, axis));
}

/** The axes' numbers, up to `axis` at least. */
function allAxes(dims: readonly number[], axis = 0): number[] {
  return Array.from({ length: Math.max(dims.length, axis + 1) }, (_, i) => i);
}
