/**
 * The table of contents of cntkts: every stage of the road, in this order. Actions, checks and `explain` all go this way.
 *
 *   configuration text → sections → AST → lazy values → network → shapes → gradients and updates → plan → backend
 *
 * Each function takes the result of the one before, and of the session what it needs. Nothing here decides what is run:
 * that is for `actions`; nothing knows where files lie: that is for the session.
 */
import type { Program } from "../grammar/index.js";
import type { ConfigSection } from "./config/config-section.js";
import type { MappedText } from "./config/mapped-text.js";
import { attempted } from "./diagnostics/attempts.js";
import { CntkError } from "./diagnostics/diagnostic.js";
import type { FileAccess } from "./files/file-access.js";
import type { LogSink } from "./log/log.js";
import type { Network, NetworkNode, ShapedNetwork } from "./network/network.js";
import {
  brainScriptSources,
  type BuiltNetwork,
  networkFromTree,
  networkTree,
} from "./sources/brainscript/index.js";
import type { ModelSource, NetworkCompiler } from "./sources/loaded-models.js";
import { inModelFile, loadModelFile, requirePrecision } from "./sources/model-file/index.js";
import type { NetworkSource } from "./sources/network-source.js";
import type { Session } from "./session.js";
import { type ValidatedNetwork, validateNetwork } from "./shapes/index.js";
import { sourceLoader } from "./source-loader.js";

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
  older(
    "SimpleNetworkBuilder",
    async () => (await import("./sources/simple-network/index.js")).simpleNetworkSource,
  ),
  older("NDLNetworkBuilder", async () => (await import("./sources/ndl/index.js")).ndlSource),
  ...brainScriptSources,
];

function older(key: string, source: () => Promise<NetworkSource>): NetworkSource {
  return {
    key,
    validatesSilently: true,
    build: async (...given) => (await source()).build(...given),
    read: async (...given) => (await source()).read(...given),
  };
}

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

/** 2  Reads what a section describes and builds nothing, as where a checkpoint takes its place. */
export function readDescription(session: Building, section: ConfigSection): Promise<void> {
  const traceLevel = section.integer("traceLevel", 0);
  return networkSource(section).read(section, { ...session, traceLevel, ...building(session, traceLevel) });
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
    readFile: (path) => attempted(() => files.readText(path)),
    log,
    ...building(session, traceLevel),
  });
}

/**
 * 5  Network → network with shapes; CNTK's validation log goes to the log. `previous` is what a first validation of the
 * same network found, where it has been changed since.
 */
export function shapeNetwork(
  session: Pick<Session, "axisNames" | "elementType" | "seeds" | "log" | "traceLevel"> &
    Partial<Pick<Session, "files" | "findings">>,
  network: Network,
  traceLevel: number,
  previous?: ShapedNetwork,
): ValidatedNetwork {
  const { axisNames, elementType, seeds, log: sink, traceLevel: mathTraceLevel, files, findings } = session;
  // A check asks for no data.
  const isRun = files !== undefined && findings === undefined;
  const options = { traceLevel, mathTraceLevel, axisNames, elementType, previous, sink };
  const validated = validateNetwork(network, {
    ...options,
    finally: isRun ? (node) => requireLabels(node, files, sink) : undefined,
  });
  seeds.skipNodeNumbers(flowControlNodes(validated));
  return validated;
}

/**
 * A Trace of categories reads their names when it is validated; the log tells of the tries before it says which node failed.
 * Source: Source/ComputationNetworkLib/SpecialPurposeNodes.cpp, TraceNode::Validate.
 */
function requireLabels({ attributes }: NetworkNode, files: FileAccess, log: LogSink): void {
  const { type, labelMappingFile: path } = attributes;
  if (typeof path !== "string" || path === "" || (type !== "category" && type !== "sparse")) return;
  try {
    attempted(() => files.readText(path));
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const { logged, ...diagnostic } = error.diagnostic;
    if (logged) log.write(`${logged}\n`);
    throw new CntkError(diagnostic);
  }
}

/**
 * The nodes that CNTK makes for itself when it compiles: one for each strongly connected component, another for those that are
 * loops, and one for each root (ComputationNetworkAnalysis.cpp, DetermineSCCsR; ComputationNetworkEvaluation.cpp).
 */
function flowControlNodes({ shaped: { order, roots }, loops }: ValidatedNetwork): number {
  const inLoops = loops.reduce((count, { nodes }) => count + nodes.length, 0);
  return order.length - inLoops + 2 * loops.length + roots.length;
}

// 6–8  Shapes → graph → plan → executable.
export {
  type CompiledPlan,
  compilePlan,
  gradientGraph,
  inferenceGraph,
  planGraph,
  requireMemory,
  requirePlan,
  requireTrainable,
  statisticsGraph,
  trainingGraph,
  trainingModeGraph,
} from "./computing.js";
