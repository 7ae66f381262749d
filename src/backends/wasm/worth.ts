import { elementCount } from "../../network/network.js";
import { type Entry, instructionsOf, type Plan } from "../../plan/plan.js";
import { workOf } from "../../plan/work.js";

/*
 * When other threads are worth their while. Estimated from the plan, not measured: the same run does the same every time.
 */

/** From how many multiplications on there are pieces, and other threads take part in them. */
export interface Limits {
  /** Less is not worth a piece of its own. */
  readonly piece: number;
  /** A phase with less is done before another thread has woken up. */
  readonly phase: number;
  /**
   * With less for each number of the inputs no other threads compute: reading a number of text keeps another processor about as busy
   * as that.
   */
  readonly input: number;
}

/** Some ten microseconds, some forty, and a number of text. */
export const usualLimits: Limits = { piece: 2 ** 16, phase: 2 ** 18, input: 512 };

/** Is there so much to do with what a plan reads that several threads should do it? */
export function paysThreads(plan: Plan, { input }: Limits): boolean {
  return Object.values(plan.entries).some((entry) => workPerInput(plan, entry) >= input);
}

/** Multiplications for one sample, over the numbers that a reader delivers for it; 0 where it delivers none. */
function workPerInput({ buffers }: Plan, { steps, inputs }: Entry): number {
  const work = instructionsOf(steps).reduce((sum, instruction) => sum + workOf(instruction), 0);
  const numbers = buffers
    .filter(({ role, name }) => role === "input" && inputs.includes(name))
    .reduce((sum, { dims, storage }) => sum + (storage === "dense" ? elementCount(dims) : 1), 0);
  return numbers > 0 ? work / numbers : 0;
}
