import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { InstructionOf } from "../../primitives/instruction.js";
import { operandAt, type Kernel, type KernelCompiler } from "../host/kernel.js";
import { compileCode } from "./generated-code.js";
import { loopsCode } from "./loop-nest.js";
import { movesOf, type Movement } from "./moves.js";

/*
 * Kinds that only move numbers: copy, transpose, slice, pad, concatenate, iota. The loops are generated for the shape.
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
export const compileTranspose: KernelCompiler<"transpose"> = (instruction) => movement(instruction);

/** The part of x that begins at `begin` of an axis. */
export const compileSlice: KernelCompiler<"slice"> = (instruction) => movement(instruction);

/** x at `begin` of an axis, zeros around it. */
export const compilePad: KernelCompiler<"pad"> = (instruction) => {
  const { writes } = instruction;
  const put = movement(instruction);
  const size = elementCount(writes.dims);
  return (run) => {
    run.view(writes).fill(0, 0, size * run.columns(writes.axis));
    put(run);
  };
};

/** The operands one after another along an axis. */
export const compileConcatenate: KernelCompiler<"concatenate"> = (instruction) => movement(instruction);

/** 0, 1, 2, … */
export const compileIota: KernelCompiler<"iota"> = ({ writes }) => {
  const size = elementCount(writes.dims);
  return (run) => {
    const target = run.view(writes);
    for (let i = 0; i < size; i++) target[i] = i;
  };
};

/** Copies cells to the result. */
function movement(instruction: InstructionOf<Movement>): Kernel {
  const { writes } = instruction;
  const parts = movesOf(instruction).map(({ from: x, axes, firstTo, firstFrom }) => {
    const places = [String(firstTo), String(firstFrom)];
    const code = loopsCode(axes, places, ([to, from]) => `output[${to}] = input[${from}];`);
    const parameters = ["output", "input", "columns"];
    const compiled = compileCode<(output: Values, input: Values, columns: number) => void>(parameters, code);
    return { x, compiled };
  });
  return (run) => {
    for (const { x, compiled } of parts) compiled(run.view(writes), run.view(x), run.columns(writes.axis));
  };
}
