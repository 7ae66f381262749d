import type { BufferId, Instruction } from "../primitives/instruction.js";

/** Buffers an instruction reads, in the order of its fields; a buffer may occur twice. */
export function buffersRead(instruction: Instruction): BufferId[] {
  switch (instruction.kind) {
    case "elementwise":
      return instruction.inputs.map((operand) => operand.buffer);
    case "reduce":
    case "transpose":
    case "copy":
      return [instruction.input.buffer];
    case "matmul":
      return [instruction.a.buffer, instruction.b.buffer];
    case "convolution":
      return [instruction.weights.buffer, instruction.input.buffer];
    case "convolutionInputGradient":
      return [instruction.weights.buffer, instruction.outputGradient.buffer];
    case "convolutionWeightGradient":
      return [instruction.input.buffer, instruction.outputGradient.buffer];
    case "pool":
      return [instruction.input.buffer];
    case "poolGradient": {
      const operands = [instruction.input, instruction.pooled, instruction.outputGradient];
      return operands.flatMap((operand) => (operand ? [operand.buffer] : []));
    }
    case "maxUnpool":
      return [instruction.pooled.buffer, instruction.poolInput.buffer];
    case "dropoutMask":
      return [];
    default:
      return instruction satisfies never;
  }
}

/** The one buffer an instruction writes. */
export function bufferWritten(instruction: Instruction): BufferId {
  return instruction.output.buffer;
}

/** The same instruction on other buffers: `rename` is asked for each buffer read, `renameOutput` for the one written. */
export function withBuffers(
  instruction: Instruction,
  rename: (buffer: BufferId) => BufferId,
  renameOutput: (buffer: BufferId) => BufferId,
): Instruction {
  const read = <T extends { readonly buffer: BufferId }>(operand: T): T => ({
    ...operand,
    buffer: rename(operand.buffer),
  });
  const written = <T extends { readonly buffer: BufferId }>(operand: T): T => ({
    ...operand,
    buffer: renameOutput(operand.buffer),
  });
  switch (instruction.kind) {
    case "elementwise":
      return { ...instruction, inputs: instruction.inputs.map(read), output: written(instruction.output) };
    case "reduce":
    case "transpose":
    case "copy":
    case "pool":
      return { ...instruction, input: read(instruction.input), output: written(instruction.output) };
    case "matmul":
      return {
        ...instruction,
        a: read(instruction.a),
        b: read(instruction.b),
        output: written(instruction.output),
      };
    case "convolution":
      return {
        ...instruction,
        weights: read(instruction.weights),
        input: read(instruction.input),
        output: written(instruction.output),
      };
    case "convolutionInputGradient":
      return {
        ...instruction,
        weights: read(instruction.weights),
        outputGradient: read(instruction.outputGradient),
        output: written(instruction.output),
      };
    case "convolutionWeightGradient":
      return {
        ...instruction,
        input: read(instruction.input),
        outputGradient: read(instruction.outputGradient),
        output: written(instruction.output),
      };
    case "poolGradient":
      return {
        ...instruction,
        ...(instruction.input && { input: read(instruction.input) }),
        ...(instruction.pooled && { pooled: read(instruction.pooled) }),
        outputGradient: read(instruction.outputGradient),
        output: written(instruction.output),
      };
    case "maxUnpool":
      return {
        ...instruction,
        pooled: read(instruction.pooled),
        poolInput: read(instruction.poolInput),
        output: written(instruction.output),
      };
    case "dropoutMask":
      return { ...instruction, output: written(instruction.output) };
    default:
      return instruction satisfies never;
  }
}
