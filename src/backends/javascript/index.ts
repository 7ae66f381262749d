import type { Backend } from "../backend.js";
import { HostExecutable } from "../host/executable.js";
import { stepsOfKernels } from "../host/steps.js";
import { javascriptKernels } from "./kernels.js";

/**
 * The fast backend of this version: loops generated for each shape and formula, products in blocks, sums in double; float and
 * double, on the CPU, one thread. Same plan, same numbers, always.
 */
export const javascriptBackend: Backend = {
  name: "javascript",
  description: "javascript",
  elementTypes: ["float", "double"],
  compile: async (plan) => new HostExecutable(plan, stepsOfKernels(javascriptKernels)),
};
