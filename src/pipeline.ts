/**
 * The table of contents of cntkts: every stage of the road, called once, in this order.
 *
 *   configuration text → AST → lazy values → network → shapes → gradients and updates → plan → backend
 *
 * Each function takes the result of the one before; nothing here reads files or prints. `explain` shows every result.
 */
import { gradientGraph, inferenceGraph, type GradientGraph } from "./autodiff/index.js";
import type { Backend, Executable, Values } from "./backends/backend.js";
import type { ConfigSection } from "./config/config-section.js";
import type { MappedText } from "./config/mapped-text.js";
import { CntkError } from "./diagnostics/diagnostic.js";
import type { Source } from "./diagnostics/source.js";
import type { FileAccess } from "./files/file-access.js";
import type { LogSink } from "./log/log.js";
import type {
  ExecutionGraph,
  Network,
  NetworkNode,
  ParameterValues,
  ShapedNetwork,
} from "./network/network.js";
import { insertBehind } from "./network/edit.js";
import { depthFirstOrder, restrictOrder } from "./network/node-order.js";
import { buildNetwork, type BuiltNetwork } from "./sources/brainscript/index.js";
import type { SeedCounter } from "./network/seed-counter.js";
import { operationByName } from "./ops/index.js";
import { planGraph } from "./plan/index.js";
import type { ElementType } from "./numerics/values.js";
import type { Plan } from "./plan/plan.js";
import { type AxisNames, validateNetwork, type ValidatedNetwork } from "./shapes/index.js";
import type { SgdOptions } from "./training/sgd-options.js";
import { trainingGraph, type TrainingGraph } from "./updates/index.js";
import { sourceLoader } from "./source-loader.js";

/** What the stages up to the network need from a run. */
export interface BuildEnvironment {
  readonly files: FileAccess;
  readonly library: readonly Source[];
  readonly includeDirectories: readonly string[];
  readonly elementType: ElementType;
  readonly seeds: SeedCounter;
  readonly axisNames: AxisNames;
}

/** Keys under which a command may hold its network, in CNTK's order. */
const builderKeys = [
  "createNetwork",
  "SimpleNetworkBuilder",
  "NDLNetworkBuilder",
  "BrainScriptNetworkBuilder",
  "ExperimentalNetworkBuilder",
] as const;

/** Is a network builder visible from this section? */
export function hasBuilder(section: ConfigSection): boolean {
  return builderKeys.some((key) => section.has(key));
}

/** Configuration → the BrainScript text of a command's network builder. */
export function networkText(section: ConfigSection): MappedText {
  const key = builderKeys.find((candidate) => section.has(candidate));
  if (key === undefined) {
    throw new CntkError({
      code: "builder-missing",
      message:
        "No network builder found in the config file. NDLNetworkBuilder, SimpleNetworkBuilder, or BrainScriptNetworkBuilder must be specified",
      span: section.span,
      hint: "BrainScriptNetworkBuilder = { … } describes the network",
    });
  }
  if (!key.startsWith("BrainScript") && !key.startsWith("Experimental")) {
    throw new CntkError({
      code: "not-available",
      message: `${key} is not available yet`,
      span: section.keySpan(key),
      hint: "BrainScriptNetworkBuilder is",
    });
  }
  return section.text(key);
}

/** AST → values → network, for the builder of a command. Log text that came up goes to `log`. */
export function buildFromText(
  environment: BuildEnvironment,
  text: MappedText,
  traceLevel: number,
  log: LogSink,
): BuiltNetwork {
  const { files } = environment;
  return buildNetwork({
    text,
    library: environment.library,
    precision: environment.elementType,
    deviceId: -1,
    traceLevel,
    loader: sourceLoader(files, environment.includeDirectories),
    seeds: environment.seeds,
    readFile: (path) => files.readText(path),
    log,
  });
}

/** Network → network with shapes; prints CNTK's validation log to `log`. */
export function shapeNetwork(
  environment: BuildEnvironment,
  network: Network,
  traceLevel: number,
  log: LogSink,
  previous?: ShapedNetwork,
): ValidatedNetwork {
  return validateNetwork(network, {
    traceLevel,
    axisNames: environment.axisNames,
    elementType: environment.elementType,
    previous,
    sink: log,
  });
}

/** Shapes → graph that computes `outputs`. */
export function inferenceStage(shaped: ShapedNetwork, outputs: readonly NetworkNode[]): ExecutionGraph {
  return inferenceGraph(shaped, outputs);
}

/** Shapes → graph with the gradients of `root` with respect to `wanted`. */
export function gradientStage(
  shaped: ShapedNetwork,
  root: NetworkNode,
  wanted: readonly NetworkNode[],
): GradientGraph {
  return gradientGraph(shaped, { root, wanted, outputs: [root] });
}

/** Shapes → graph with gradients and parameter updates. */
export function trainingStage(
  shaped: ShapedNetwork,
  criterion: NetworkNode,
  evaluations: readonly NetworkNode[],
  options: SgdOptions,
): TrainingGraph {
  return trainingGraph(shaped, { criterion, outputs: [criterion, ...evaluations], options });
}

/** Graph → plan. */
export function planStage(graph: ExecutionGraph, elementType: ElementType): Plan {
  return planGraph(graph, elementType);
}

/** Plan → executable, parameters in place. */
export async function backendStage(
  backend: Backend,
  plan: Plan,
  values: ReadonlyMap<NetworkNode, ParameterValues>,
): Promise<Executable> {
  const executable = await backend.compile(plan);
  const states = new Set(
    plan.buffers.filter((buffer) => buffer.role === "state").map((buffer) => buffer.name),
  );
  const known = new Map<string, Values>();
  for (const [node, parameter] of values) if (states.has(node.name)) known.set(node.name, parameter);
  await executable.writeState(known);
  return executable;
}

/** Inputs (fed nodes) that some nodes need, in evaluation order. */
export function inputsBelow(nodes: readonly NetworkNode[]): NetworkNode[] {
  return depthFirstOrder(nodes).filter((node) => /^(Sparse)?InputValue$/.test(node.op.name));
}

/** The evaluation order of some nodes: the network's order restricted to what they need. */
export function evaluationOrder(shaped: ShapedNetwork, nodes: readonly NetworkNode[]): NetworkNode[] {
  return restrictOrder(shaped.order, nodes);
}

/** A network whose inputs and parameters are used by way of Pass nodes. */
export interface PassedNetwork {
  /** The new network, with what was known of the old one's nodes. */
  readonly previous: ShapedNetwork;
  /** The new nodes: behind inputs first, then behind parameters. */
  readonly passNodes: readonly NetworkNode[];
  readonly root: NetworkNode;
}

/**
 * Puts a Pass node `NAME.grad` between every input or trainable parameter below `root` and all its users, as CNTK's
 * nodeUnitTest does (SimpleOutputWriter.h). The given network stays as it is.
 */
export function insertPassNodes(shaped: ShapedNetwork, root: NetworkNode): PassedNetwork {
  const pass = operationByName("Pass");
  if (!pass) throw new Error("the registry has no Pass node");
  const below = evaluationOrder(shaped, [root]);
  const parameters = below.filter(
    (node) => node.op.role === "parameter" && Number(node.attributes["learningRateMultiplier"] ?? 1) > 0,
  );
  const leaves = [...inputsBelow([root]), ...parameters];
  const { network, inserted, copies } = insertBehind(
    shaped.network,
    leaves,
    pass,
    (leaf) => `${leaf.name}.grad`,
  );
  const copyOf = (node: NetworkNode): NetworkNode => copies.get(node) ?? node;
  const facts = new Map(Array.from(shaped.facts, ([node, known]) => [copyOf(node), known]));
  return { previous: { ...shaped, network, facts }, passNodes: inserted, root: copyOf(root) };
}
