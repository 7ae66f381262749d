import type { WasmTable } from "./kernel.js";
import { compileMatmul } from "./matmul.js";

/** What has kernels in the module; the other kinds are carried out by the host, on the same memory. */
export const wasmKernels: WasmTable = {
  matmul: compileMatmul,
};
