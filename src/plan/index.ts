export { passes, planGraph, planKey } from "./plan-graph.js";
export { printPlan } from "./print-plan.js";
export { bufferLifetimes, type Lifetime } from "./lifetimes.js";
export { layOutMemory } from "./memory-layout.js";
export { roundingOf } from "./fold-constants.js";
export { entryProblems, planProblems, verifyPasses } from "./verify.js";
export { scalarNames } from "./lower.js";
export { instructionsOf } from "./plan.js";
export type { Buffer, Carry, Engine, Entry, Loop, MemoryLayout, Plan, PlanAxis, Slot, Step } from "./plan.js";
