import type { Backend } from "../backend.js";
import { HostExecutable } from "../host/executable.js";
import { stepsOfKernels } from "../host/steps.js";
import type { KernelTable } from "../host/kernel.js";
import * as alignments from "./alignments.js";
import * as elementwise from "./elementwise.js";
import * as matmul from "./matmul.js";
import * as movement from "./movement.js";
import * as ranking from "./ranking.js";
import * as regions from "./regions.js";
import * as sampling from "./sampling.js";
import * as sequences from "./sequences.js";
import * as windows from "./windows.js";

/** Every kind as a plain loop over its formula; nothing here is clever, and nothing fast. */
export const referenceKernels: KernelTable = {
  ...elementwise,
  ...movement,
  ...matmul,
  ...windows,
  ...sequences,
  ...alignments,
  ...regions,
  ...ranking,
  ...sampling,
};

/**
 * The backend that says what each primitive means: sums in double, every stored value rounded to the element type, float and
 * double. The others are checked against it.
 */
export const referenceBackend: Backend = {
  name: "reference",
  description: "reference",
  elementTypes: ["float", "double"],
  compile: async (plan) => new HostExecutable(plan, stepsOfKernels(referenceKernels)),
};
