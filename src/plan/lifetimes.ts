import type { BufferId } from "../primitives/instruction.js";
import { buffersRead, bufferWritten } from "./instruction-operands.js";
import type { Plan, PlanEntry } from "./plan.js";

/** Instruction indices within an entry, both inclusive. */
export interface Lifetime {
  readonly first: number;
  /** Infinity for a buffer the caller gets. */
  readonly last: number;
}

/** When each temporary of an entry is first written and last used; its memory is free at other times. */
export function bufferLifetimes(plan: Plan, entry: PlanEntry): Map<BufferId, Lifetime> {
  const lifetimes = new Map<BufferId, Lifetime>();
  entry.instructions.forEach((instruction, index) => {
    for (const buffer of [bufferWritten(instruction), ...buffersRead(instruction)]) {
      if (plan.buffers[buffer]?.role !== "temporary") continue;
      lifetimes.set(buffer, { first: lifetimes.get(buffer)?.first ?? index, last: index });
    }
  });
  for (const { buffer } of entry.outputs) {
    const lifetime = lifetimes.get(buffer);
    if (lifetime) lifetimes.set(buffer, { first: lifetime.first, last: Infinity });
  }
  return lifetimes;
}
