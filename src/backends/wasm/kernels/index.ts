import {
  compileConvolution,
  compileConvolutionInputGradient,
  compileConvolutionWeightGradient,
} from "./convolution.js";
import type { WasmTable } from "./kernel.js";
import { compileMap } from "./map.js";
import { compileMatmul } from "./matmul.js";
import { compileConcatenate, compileCopy, compilePad, compileSlice, compileTranspose } from "./movement.js";
import { compileMaxUnpool, compilePool, compilePoolGradient } from "./pool.js";
import { compileReduce } from "./reduce.js";

/** What has kernels in the module; the other kinds are carried out by the host, on the same memory. */
export const wasmKernels: WasmTable = {
  map: compileMap,
  copy: compileCopy,
  transpose: compileTranspose,
  slice: compileSlice,
  pad: compilePad,
  concatenate: compileConcatenate,
  matmul: compileMatmul,
  reduce: compileReduce,
  convolution: compileConvolution,
  convolutionInputGradient: compileConvolutionInputGradient,
  convolutionWeightGradient: compileConvolutionWeightGradient,
  pool: compilePool,
  poolGradient: compilePoolGradient,
  maxUnpool: compileMaxUnpool,
};
