export { planGraph } from "./plan-graph.js";
export { printPlan } from "./print-plan.js";
export { buffersRead, bufferWritten } from "./instruction-operands.js";
export { bufferLifetimes, type Lifetime } from "./lifetimes.js";
export { roundingOf } from "./fold-constants.js";
export type { Plan, PlanEntry, BufferDeclaration, EngineDeclaration } from "./plan.js";
