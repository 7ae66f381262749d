import type { Backend } from "../backend.js";
import { ReferenceExecutable } from "./executable.js";

/**
 * The backend that defines every primitive: sums in double, every stored value rounded to the element type, float and
 * double, on the CPU, one thread. Same plan, same numbers, always.
 */
export const referenceBackend: Backend = {
  name: "reference",
  description: "reference",
  elementTypes: ["float", "double"],
  compile: async (plan) => new ReferenceExecutable(plan),
};
