/**
 * The table of contents of cntkts: every stage of the road, in this order. Actions, checks and `explain` all go this way.
 *
 *   configuration text → sections → AST → lazy values → network → shapes → gradients and updates → plan → backend
 *
 * Each function takes the result of the one before, and of the session what it needs. Nothing here decides what is run:
 * that is for `actions`; nothing knows where files lie: that is for the session.
 */
import type { Program } from "../grammar/index.js";
import * as autodiff from "./autodiff/index.js";
import type { GradientGraph, GradientRequest } from "./autodiff/index.js";
import type { Executable } from "./backends/backend.js";
import type { ElementType, Values } from "./numerics/values.js";
import type { ConfigSection } from "./config/config-section.js";
import type { MappedText } from "./config/mapped-text.js";
import { CntkError } from "./diagnostics/diagnostic.js";
import type { ExecutionGraph } from "./network/execution-graph.js";
import type { Network, NetworkNode, ParameterValues, ShapedNetwork } from "./network/network.js";
import { depthFirstOrder } from "./network/node-order.js";
import { requireStatistics } from "./network/statistics.js";
import { requireRunnable } from "./ops/unavailable.js";
import {
  brainScriptSources,
  type BuiltNetwork,
  networkFromTree,
  networkTree,
} from "./sources/brainscript/index.js";
import type { ModelSource, NetworkCompiler } from "./sources/loaded-models.js";
import { inModelFile, loadModelFile, requirePrecision } from "./sources/model-file/index.js";
import type { NetworkSource } from "./sources/network-source.js";
import * as planning from "./plan/index.js";
import type { Plan } from "./plan/plan.js";
import type { Session } from "./session.js";
import { checkMemory, checkTotal, type ValidatedNetwork, validateNetwork } from "./shapes/index.js";
import { sourceLoader } from "./source-loader.js";
import * as updates from "./updates/index.js";
import type { TrainingGraph, TrainingRequest } from "./updates/index.js";

// 1  Configuration text → sections.
export { readConfiguration } from "./config/read-configuration.js";

/** Keys under which a command may hold its network, in CNTK's order. */
const sourceKeys = [
  "createNetwork",
  "SimpleNetworkBuilder",
  "NDLNetworkBuilder",
  "BrainScriptNetworkBuilder",
  "ExperimentalNetworkBuilder",
] as const;

/** The ways to describe a network that there are; the older ones are loaded when a command describes its network so. */
const networkSources: readonly NetworkSource[] = [
  {
    key: "SimpleNetworkBuilder",
    validatesSilently: true,
    build: async (...given) =>
      (await import("./sources/simple-network/index.js")).simpleNetworkSource.build(...given),
  },
  {
    key: "NDLNetworkBuilder",
    validatesSilently: true,
    build: async (...given) => (await import("./sources/ndl/index.js")).ndlSource.build(...given),
  },
  ...brainScriptSources,
];

/** Is a network described in this section, or around it? */
export function hasBuilder(section: ConfigSection): boolean {
  return sourceKeys.some((key) => section.has(key));
}

/** The way in which a command describes its network. Throws CntkError `builder-missing`, `not-available`. */
export function networkSource(section: ConfigSection): NetworkSource {
  const key = sourceKeys.find((candidate) => section.has(candidate));
  if (key === undefined) {
    throw new CntkError({
      code: "builder-missing",
      message:
        "No network builder found in the config file. NDLNetworkBuilder, SimpleNetworkBuilder, or BrainScriptNetworkBuilder must be specified",
      span: section.span,
      hint: "BrainScriptNetworkBuilder = { … } describes the network",
    });
  }
  const source = networkSources.find((candidate) => candidate.key === key);
  if (source) return source;
  throw new CntkError({
    code: "not-available",
    message: `${key} is not available yet`,
    span: section.keySpan(key),
    hint: "BrainScriptNetworkBuilder is",
  });
}

/** How much the log tells of validating a network that `section` describes, if it is to tell `traceLevel` elsewhere. */
export function validationTraceLevel(section: ConfigSection, traceLevel: number): number {
  return networkSource(section).validatesSilently ? 0 : traceLevel;
}

type Building = Pick<
  Session,
  | "files"
  | "untrained"
  | "library"
  | "includeDirectories"
  | "elementType"
  | "deviceId"
  | "seeds"
  | "axisNames"
  | "log"
  | "traceLevel"
  | "networks"
  | "showsNetworks"
>;

/** 2–4  Section → network, whatever language describes it. What CNTK prints meanwhile goes to the log as it comes about. */
export function buildNetwork(
  session: Building,
  section: ConfigSection,
  traceLevel: number,
): Promise<Network> {
  return networkSource(section).build(section, { ...session, traceLevel, ...building(session, traceLevel) });
}

/** 2–5  Section → network with shapes. A network that was compiled while it was described (an edited one) is left at that. */
export async function buildShapedNetwork(
  session: Building,
  section: ConfigSection,
  traceLevel: number,
): Promise<ShapedNetwork> {
  const { compiled, ...services } = building(session, traceLevel);
  const network = await networkSource(section).build(section, { ...session, traceLevel, ...services });
  const validating = session.showsNetworks ? traceLevel : validationTraceLevel(section, traceLevel);
  const shaped = compiled.get(network) ?? shapeNetwork(session, network, validating).shaped;
  session.networks?.push(shaped);
  return shaped;
}

/** What descriptions of networks use of loaded models; `compiled` gathers the networks that were compiled meanwhile. */
function building(session: Building, traceLevel: number) {
  const { axisNames, elementType } = session;
  const compiled = new Map<Network, ShapedNetwork>();
  const models: ModelSource = {
    load(path) {
      const model = loadModelFile(session, path);
      requirePrecision(elementType, model, path);
      return model;
    },
  };
  const compiler: NetworkCompiler = {
    newDefaultAxis: () => axisNames.next("*"),
    compile(network, modelPath) {
      if (modelPath !== undefined) axisNames.takenByLoading(network);
      const compile = (): ShapedNetwork => shapeNetwork(session, network, traceLevel).shaped;
      const shaped = modelPath === undefined ? compile() : inModelFile(modelPath, compile, "hint");
      compiled.set(network, shaped);
      return shaped;
    },
  };
  return { models, compiler, compiled };
}

/** 2  BrainScript → AST. Includes are found from the session's folders. Throws CntkError for the first mistake. */
export function parseNetwork(
  session: Pick<Session, "files" | "includeDirectories">,
  text: MappedText,
): Program {
  return networkTree(text, sourceLoader(session.files, session.includeDirectories));
}

/** 3, 4  AST → lazy values → network, both to be looked at. */
export function evaluateNetwork(session: Building, tree: Program, traceLevel: number): BuiltNetwork {
  const { files, library, elementType, deviceId, seeds, log } = session;
  return networkFromTree(tree, {
    library,
    precision: elementType,
    deviceId,
    traceLevel,
    seeds,
    readFile: (path) => files.readText(path),
    log,
    ...building(session, traceLevel),
  });
}

/**
 * 5  Network → network with shapes; CNTK's validation log goes to the log. `previous` is what a first validation of the
 * same network found, where it has been changed since.
 */
export function shapeNetwork(
  session: Pick<Session, "axisNames" | "elementType" | "seeds" | "log" | "traceLevel">,
  network: Network,
  traceLevel: number,
  previous?: ShapedNetwork,
): ValidatedNetwork {
  const { axisNames, elementType, seeds, log: sink, traceLevel: mathTraceLevel } = session;
  const options = { traceLevel, mathTraceLevel, axisNames, elementType, previous, sink };
  const validated = validateNetwork(network, options);
  seeds.skipNodeNumbers(flowControlNodes(validated));
  return validated;
}

/**
 * The nodes that CNTK makes for itself when it compiles: one for each strongly connected component, another for those that are
 * loops, and one for each root (ComputationNetworkAnalysis.cpp, DetermineSCCsR; ComputationNetworkEvaluation.cpp).
 */
function flowControlNodes({ shaped: { order, roots }, loops }: ValidatedNetwork): number {
  const inLoops = loops.reduce((count, { nodes }) => count + nodes.length, 0);
  return order.length - inLoops + 2 * loops.length + roots.length;
}

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
