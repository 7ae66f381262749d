import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { Operand } from "../../primitives/instruction.js";
import { operandAt, type Kernel, type KernelCompiler } from "../host/kernel.js";
import { compileCode } from "./generated-code.js";
import { loopsCode, mergedAxes, type LoopAxis } from "./loop-nest.js";

/*
 * Kinds that only move numbers: copy, transpose, slice, pad, concatenate, iota. Each is a walk over some of the result's or
 * the operand's cells with a fixed step in both memories; the loops are generated for the shape.
 */

/** Same elements, other shape. */
export const compileCopy: KernelCompiler<"copy"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  const size = elementCount(writes.dims);
  return (run) => {
    const count = size * run.columns(writes.axis);
    const from = run.view(x);
    run.view(writes).set(from.length === count ? from : from.subarray(0, count));
  };
};

/** Axis i of the result = axis `axes[i]` of x. */
export const compileTranspose: KernelCompiler<"transpose"> = ({ reads, writes, parameters }) => {
  const x = operandAt(reads, 0);
  const from = stepsOf(x.dims);
  const to = stepsOf(writes.dims);
  const loops = parameters.axes.map((axis, i) => ({
    size: x.dims[axis] ?? 1,
    strides: [to[i] ?? 0, from[axis] ?? 0],
  }));
  return movement(x, writes, loops);
};

/** The part of x that begins at `begin` of an axis. */
export const compileSlice: KernelCompiler<"slice"> = ({ reads, writes, parameters }) => {
  const x = operandAt(reads, 0);
  const { axis, begin } = parameters;
  const [to, from] = [stepsOf(writes.dims), stepsOf(x.dims)];
  const loops = allAxes(writes.dims).map((i) => ({
    size: writes.dims[i] ?? 1,
    strides: [to[i] ?? 0, from[i] ?? 0],
  }));
  return movement(x, writes, loops, 0, begin * stepAlong(x.dims, axis));
};

/** x at `begin` of an axis, zeros around it. */
export const compilePad: KernelCompiler<"pad"> = ({ reads, writes, parameters }) => {
  const x = operandAt(reads, 0);
  const { axis, begin } = parameters;
  const [to, from] = [stepsOf(writes.dims), stepsOf(x.dims)];
  const loops = allAxes(writes.dims).map((i) => ({
    size: x.dims[i] ?? 1,
    strides: [to[i] ?? 0, from[i] ?? 0],
  }));
  const put = movement(x, writes, loops, begin * stepAlong(writes.dims, axis));
  const size = elementCount(writes.dims);
  return (run) => {
    run.view(writes).fill(0, 0, size * run.columns(writes.axis));
    put(run);
  };
};

/** The operands one after another along an axis; in the other axes, and along the columns, they stretch. */
export const compileConcatenate: KernelCompiler<"concatenate"> = ({ reads, writes, parameters }) => {
  const { axis } = parameters;
  const to = stepsOf(writes.dims);
  let begin = 0;
  const parts = reads.map((x) => {
    const from = stepsOf(x.dims);
    const length = x.dims[axis] ?? 1;
    const loops = allAxes(writes.dims, axis).map((i) => {
      const isStretched = i !== axis && (x.dims[i] ?? 1) === 1;
      const size = i === axis ? length : (writes.dims[i] ?? 1);
      return { size, strides: [to[i] ?? 0, isStretched ? 0 : (from[i] ?? 0)] };
    });
    const part = movement(x, writes, loops, begin * stepAlong(writes.dims, axis));
    begin += length;
    return part;
  });
  return (run) => {
    for (const part of parts) part(run);
  };
};

/** 0, 1, 2, … */
export const compileIota: KernelCompiler<"iota"> = ({ writes }) => {
  const size = elementCount(writes.dims);
  return (run) => {
    const target = run.view(writes);
    for (let i = 0; i < size; i++) target[i] = i;
  };
};

/** Copies cells from x to the result by loops of the given steps, for every column of the result. */
function movement(
  x: Operand,
  writes: Operand,
  loops: readonly Omit<LoopAxis, "isColumns">[],
  firstTo = 0,
  firstFrom = 0,
): Kernel {
  const axes: LoopAxis[] = loops.map((loop) => ({ ...loop, isColumns: false }));
  if (writes.axis !== null) {
    const strides = [elementCount(writes.dims), x.axis === null ? 0 : elementCount(x.dims)];
    axes.push({ size: 1, isColumns: true, strides });
  }
  const code = loopsCode(
    mergedAxes(axes),
    [String(firstTo), String(firstFrom)],
    ([to, from]) => `output[${to}] = input[${from}];`,
  );
  const compiled = compileCode<(output: Values, input: Values, columns: number) => void>(
    ["output", "input", "columns"],
    code,
  );
  return (run) => compiled(run.view(writes), run.view(x), run.columns(writes.axis));
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
