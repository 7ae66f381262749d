import type { Instruction, InstructionKind } from "../../primitives/instruction.js";
import type { ElementType } from "../../numerics/values.js";
import {
  compileConvolution,
  compileConvolutionInputGradient,
  compileConvolutionWeightGradient,
} from "./convolution.js";
import { compileDropoutMask } from "./dropout.js";
import { compileElementwise } from "./elementwise.js";
import type { Kernel, KernelCompiler } from "./kernel.js";
import { compileMatmul } from "./matmul.js";
import { compileCopy, compileTranspose } from "./movement.js";
import { compileMaxUnpool, compilePool, compilePoolGradient } from "./pool.js";
import { compileReduce } from "./reduce.js";

/** One compiler per kind of instruction: a kind without one does not compile. */
const compilers: { readonly [K in InstructionKind]: KernelCompiler<K> } = {
  elementwise: compileElementwise,
  reduce: compileReduce,
  matmul: compileMatmul,
  convolution: compileConvolution,
  convolutionInputGradient: compileConvolutionInputGradient,
  convolutionWeightGradient: compileConvolutionWeightGradient,
  pool: compilePool,
  poolGradient: compilePoolGradient,
  maxUnpool: compileMaxUnpool,
  dropoutMask: compileDropoutMask,
  transpose: compileTranspose,
  copy: compileCopy,
};

/** Makes an instruction ready to run. */
export function compileInstruction(instruction: Instruction, elementType: ElementType): Kernel {
  const compile = compilers[instruction.kind] as KernelCompiler<InstructionKind>;
  return compile(instruction, elementType);
}
