/**
 * The second half of the road: a network with shapes → graph → plan → executable. It stands apart from the ways to describe a
 * network (pipeline.ts), so that who has a model only, a web page say, carries no language with it.
 */
import * as autodiff from "./autodiff/index.js";
import type { GradientGraph, GradientRequest } from "./autodiff/index.js";
import type { Executable } from "./backends/backend.js";
import type { ElementType, Values } from "./numerics/values.js";
import type { ExecutionGraph } from "./network/execution-graph.js";
import type { NetworkNode, ParameterValues, ShapedNetwork } from "./network/network.js";
import { depthFirstOrder } from "./network/node-order.js";
import { requireStatistics } from "./network/statistics.js";
import { requireRunnable } from "./ops/unavailable.js";
import * as planning from "./plan/index.js";
import type { Plan } from "./plan/plan.js";
import type { Session } from "./session.js";
import { checkMemory, checkTotal } from "./shapes/index.js";
import { inModelFile } from "./sources/model-file/in-model-file.js";
import * as updates from "./updates/index.js";
import type { TrainingGraph, TrainingRequest } from "./updates/index.js";

/** 6  Shapes → graph that evaluates nodes. This and the next two throw CntkError for operations that cannot be run. */
export function inferenceGraph(shaped: ShapedNetwork, nodes: readonly NetworkNode[]): ExecutionGraph {
  requireComputable(shaped, nodes);
  requireStatistics(shaped, nodes);
  return autodiff.inferenceGraph(shaped, nodes);
}

/** 6  The same in training mode: batch normalizations take their statistics from the minibatch and remember them. */
export function trainingModeGraph(shaped: ShapedNetwork, nodes: readonly NetworkNode[]): ExecutionGraph {
  requireRunnable({ nodes: depthFirstOrder(nodes) });
  requireStatistics(shaped, nodes);
  return autodiff.inferenceGraph(shaped, nodes, "training");
}

/** 6  Shapes → graph with the values of nodes and the gradients of one of them: both are nodes. */
export function gradientGraph(shaped: ShapedNetwork, request: GradientRequest): GradientGraph {
  const roots = [request.root, ...(request.outputs ?? [])];
  requireComputable(shaped, roots);
  requireStatistics(shaped, roots);
  return autodiff.gradientGraph(shaped, request);
}

/** 6  Shapes → graph of the pass before training: statistics of all data. */
export function statisticsGraph(shaped: ShapedNetwork, statistics: readonly NetworkNode[]): ExecutionGraph {
  requireRunnable({ nodes: depthFirstOrder(statistics) });
  return autodiff.statisticsGraph(shaped, statistics);
}

/** 6  Shapes → graph of a training step: values, gradients and updates, all of them nodes. */
export function trainingGraph(shaped: ShapedNetwork, request: TrainingRequest): TrainingGraph {
  requireComputable(shaped, [request.criterion, ...request.outputs]);
  return updates.trainingGraph(shaped, request);
}

/** 7  Throws what `trainingGraph` and its plan would refuse: updates are made of what can always be done. */
export function requireTrainable(
  shaped: ShapedNetwork,
  { criterion, outputs }: Omit<TrainingRequest, "options">,
  elementType: ElementType,
): void {
  requireComputable(shaped, [criterion, ...outputs]);
  const wanted = updates.trainedUses(shaped, criterion);
  requirePlan(autodiff.gradientGraph(shaped, { root: criterion, wanted, outputs }).graph, elementType);
}

/** All that these nodes need can be run, and a sample of it fits into memory. */
function requireComputable(shaped: ShapedNetwork, roots: readonly NetworkNode[]): void {
  const nodes = depthFirstOrder(roots);
  requireRunnable({ nodes });
  checkTotal(shaped, nodes);
}

/** Throws CntkError `needs-too-much-memory` where the network has more values than can be held when it is run. */
export function requireMemory(shaped: ShapedNetwork): void {
  checkTotal(shaped, shaped.network.nodes, "now");
}

/**
 * 7  Graph → plan: instructions on buffers. What comes out of a model file, damaged perhaps, is held against the limits of what
 * anybody would wait for.
 * @throws CntkError `needs-too-much-memory`, `needs-too-much-work`
 */
export function planGraph(
  graph: ExecutionGraph,
  elementType: ElementType,
  passNames?: readonly string[],
): Plan {
  const path = modelFileOf(graph);
  if (path === undefined) return planning.planGraph(graph, elementType, passNames);
  const limited = (): Plan => {
    checkValues(graph, elementType);
    const plan = planning.planGraph(graph, elementType, passNames);
    planning.checkWork(plan);
    return plan;
  };
  return inModelFile(path, limited, "hint");
}

/** 7  Throws what `planGraph` would throw, in less time: a check needs no plan. */
export function requirePlan(graph: ExecutionGraph, elementType: ElementType): void {
  const path = modelFileOf(graph);
  const check = (): void => {
    if (path !== undefined) checkValues(graph, elementType);
    const isExplained = planning.checkGraph(graph, elementType);
    if (path !== undefined && !isExplained()) planning.checkWork(planning.planGraph(graph, elementType));
  };
  if (path === undefined) check();
  else inModelFile(path, check, "hint");
}

/** The model file that some of the nodes are from. */
function modelFileOf({ entries }: ExecutionGraph): string | undefined {
  for (const { order } of Object.values(entries)) {
    const node = order.find(({ modelFile }) => modelFile !== undefined);
    if (node) return node.modelFile;
  }
  return undefined;
}

/** The limits of a model file's values. Throws CntkError `needs-too-much-memory`. */
function checkValues({ entries, facts }: ExecutionGraph, elementType: ElementType): void {
  const order = new Set(Object.values(entries).flatMap((entry) => entry.order));
  const outputs = Object.values(entries).flatMap((entry) => entry.outputs);
  const forward = [...order].filter(({ internal }) => !internal);
  checkMemory(facts, forward, outputs, elementType);
}

/** A compiled plan, and the names of what it remembers between two runs. */
export interface CompiledPlan {
  readonly executable: Executable;
  /** Parameters, memories of update rules, running statistics. */
  readonly states: ReadonlySet<string>;
  /** Random engines. */
  readonly engines: ReadonlySet<string>;
}

/** 8  Plan → executable. Of `values` those are put in place that the plan holds; the others are not even looked at. */
export async function compilePlan(
  { backend }: Pick<Session, "backend">,
  plan: Plan,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
): Promise<CompiledPlan> {
  const states = new Set(plan.buffers.filter(({ role }) => role === "state").map(({ name }) => name));
  const engines = new Set(plan.engines.map(({ name }) => name));
  const executable = await backend.compile(plan);
  const known = new Map<string, Values>();
  for (const node of values.keys()) {
    const parameter = states.has(node.name) ? values.get(node) : undefined;
    if (parameter) known.set(node.name, parameter);
  }
  await executable.writeState(known);
  return { executable, states, engines };
}
