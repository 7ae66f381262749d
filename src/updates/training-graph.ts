import { backwardGraph } from "../autodiff/backward.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { InternalGraph } from "../autodiff/graph-builder.js";
import { forwardGraph, neededNodes } from "../autodiff/forward.js";
import type { Assignment, ExecutionGraph } from "../network/execution-graph.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder, sortedByName } from "../network/node-order.js";
import { parameterAttributes } from "../ops/inputs.js";
import { clipped, clipsByNorm, exceedsNorm, withL1, withL2 } from "./penalties.js";
import type { SparseRefusal } from "./sparse-refusals.js";
import { isTouched, whole } from "./touched.js";
import type { UpdateContext, UpdateOptions, UpdateResult } from "./update-rule.js";

/** One entry of CNTK's list of parameters to train, which is also the order of a checkpoint. */
export interface TrainedParameter {
  readonly node: NetworkNode;
  /** learningRateMultiplier. */
  readonly multiplier: number;
  /** Name of the state that holds the gradient between `gradients` and `update`. */
  readonly gradient: string;
  /** Names of the states that the update rule remembers; the checkpoint's matrix holds them behind each other. */
  readonly memory: readonly string[];
}

export interface TrainingGraph {
  readonly graph: ExecutionGraph;
  /** Sorted by name; a parameter with k uses stands k times and is updated k times. */
  readonly parameters: readonly TrainedParameter[];
  /** What CNTK does not do for sparse gradients, in the order in which it would notice. */
  readonly refusals: readonly SparseRefusal[];
  /** Names of the outputs that are such gradients. */
  readonly gradientsBelow: ReadonlyMap<NetworkNode, string>;
  /** Why there are no gradients; then the graph has the outputs alone. */
  readonly noGradients?: CntkError;
}

export interface TrainingRequest {
  readonly criterion: NetworkNode;
  /** Values to return from `gradients`: criterion and evaluation nodes. */
  readonly outputs: readonly NetworkNode[];
  readonly options: UpdateOptions;
  /** Nodes for which the gradient of their first input is returned too, as it is when they have added to it. */
  readonly gradientsBelow?: ReadonlySet<NetworkNode>;
}

/**
 * The graph of a training step, or, where some node has no gradient, of its values: CNTK notices only when it goes back through
 * the first minibatch.
 */
export function trainingGraph(shaped: ShapedNetwork, request: TrainingRequest): TrainingGraph {
  const uses = trainedUses(shaped, request.criterion);
  try {
    return stepGraph(shaped, request, uses);
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    const none = { multiplier: 1, gradient: "", memory: [] };
    const parameters = uses.map((node) => ({ node, ...none }));
    return { ...stepGraph(shaped, request, []), parameters, noGradients: error };
  }
}

/**
 * The graph of a training step. Entry `gradients` computes the outputs and stores each parameter's gradient, summed over
 * the samples, as state; entry `update` changes the parameters by it (its run-time numbers: `updateScalars`) and returns the
 * conditions of its refusals.
 * Source: SGDLib/SGD.cpp, TrainOneEpoch and UpdateWeights.
 */
function stepGraph(
  shaped: ShapedNetwork,
  request: TrainingRequest,
  uses: readonly NetworkNode[],
): TrainingGraph {
  const { criterion, options } = request;
  const forward = forwardGraph(shaped, [criterion, ...request.outputs], "training");
  const { builder, companions } = forward;

  const beforeGradients = builder.nodes.length;
  const below = new Map<NetworkNode, NetworkNode>();
  const gradients = backwardGraph(forward, criterion, uses, (node, gradient) => {
    if (request.gradientsBelow?.has(node)) below.set(node, gradient);
  });
  const outputs = [...new Set([...request.outputs, ...below.values()])];
  const gradientStates = new Map<NetworkNode, NetworkNode>();
  const stored: Assignment[] = [...gradients].map(([parameter, value]) => {
    const { storage, shape: own } = builder.facts(value);
    // A touched gradient keeps its own shape: its columns are the last dimension.
    const shape = storage === "touched" ? own : builder.facts(parameter).shape;
    const state = builder.state(`${parameter.name}:gradient:sum`, shape, 0, storage);
    gradientStates.set(parameter, state);
    return { state, value };
  });
  const accumulateOrder = [...forward.fullOrder, ...builder.nodes.slice(beforeGradients)];
  const accumulated = [...forward.assignments, ...stored];

  const beforeUpdates = builder.nodes.length;
  const spared = options.sparesNormalization
    ? normalizationParameters(shaped.network.nodes)
    : new Set<NetworkNode>();
  const optionsOf = (node: NetworkNode): UpdateOptions =>
    spared.has(node) ? { ...options, l1Weight: 0, l2Weight: 0 } : options;
  const update = updateNodes(builder, uses, gradientStates, options.rule, optionsOf);
  const conditions = update.refusals.flatMap(({ when }) => when ?? []);
  const updateRoots = [...conditions, ...update.memory, ...assigned(update.assignments)];
  const updateOrder = [
    ...gradientStates.keys(),
    ...gradientStates.values(),
    ...builder.nodes.slice(beforeUpdates),
  ];
  return {
    parameters: update.parameters,
    refusals: update.refusals,
    gradientsBelow: new Map(Array.from(below, ([node, { name }]) => [node, name])),
    graph: {
      mode: "training",
      facts: builder.allFacts(),
      companions,
      entries: {
        gradients: {
          order: neededNodes(accumulateOrder, [...outputs, ...assigned(accumulated)], companions),
          outputs,
          assignments: accumulated,
        },
        update: {
          order: neededNodes(updateOrder, updateRoots, companions),
          outputs: conditions,
          assignments: update.assignments,
        },
      },
    },
  };
}

/**
 * The uses of learnable parameters below the criterion, by name: one for each time a node has one as an input, because CNTK
 * marks only inner nodes as visited when it collects them (ComputationNetwork.cpp, CollectInputAndLearnableParametersRec).
 */
export function trainedUses(shaped: ShapedNetwork, criterion: NetworkNode): NetworkNode[] {
  const used = restrictOrder(shaped.order, [criterion]).flatMap((node) => node.inputs);
  return sortedByName(
    used.filter((node) => node.op.role === "parameter" && shaped.facts.get(node)?.needsGradient),
  );
}

/** Scale and bias of all batch normalizations (TrainingNodes.h, DisableRegInBatchNormalization). */
function normalizationParameters(nodes: readonly NetworkNode[]): ReadonlySet<NetworkNode> {
  const normalizations = nodes.filter(({ op }) => op.name === "BatchNormalization");
  return new Set(normalizations.flatMap(({ inputs }) => inputs.slice(1, 3)));
}

interface Updates {
  readonly parameters: readonly TrainedParameter[];
  readonly assignments: readonly Assignment[];
  /** What the rule remembers of all parameters, changed or not: a checkpoint asks for it. */
  readonly memory: readonly NetworkNode[];
  readonly refusals: readonly SparseRefusal[];
}

function updateNodes(
  builder: InternalGraph,
  uses: readonly NetworkNode[],
  gradientStates: ReadonlyMap<NetworkNode, NetworkNode>,
  rule: UpdateOptions["rule"],
  optionsOf: (node: NetworkNode) => UpdateOptions,
): Updates {
  const newWeights = new Map<NetworkNode, NetworkNode>();
  const newGradients = new Map(gradientStates);
  const assignments: Assignment[] = [];
  const refusals: SparseRefusal[] = [];
  const memories: NetworkNode[] = [];
  const parameters = uses.map((node): TrainedParameter => {
    const { shape } = builder.facts(node);
    const gradientState = gradientStates.get(node);
    if (!gradientState) throw new Error(`${node.name} has no gradient`);
    const memory = rule.memory.map((part) => builder.state(`${node.name}:${part}`, shape));
    const multiplier = parameterAttributes(node).learningRateMultiplier;
    const options = optionsOf(node);
    memories.push(...memory);
    builder.within(node, "update", () => {
      const gradient = newGradients.get(node) ?? gradientState;
      const context = { build: builder, weights: newWeights.get(node) ?? node, gradient, memory, multiplier };
      const result = isTouched(builder, gradient)
        ? updateTouched(context, options, node, refusals)
        : updateDense(context, options);
      memory.forEach((state, part) => {
        const value = result.memory[part];
        if (value && value !== state) assignments.push({ state, value: whole(builder, state, value) });
      });
      newWeights.set(node, result.weights);
      newGradients.set(node, result.gradient);
    });
    const names = memory.map((state) => state.name);
    return { node, multiplier, gradient: gradientState.name, memory: names };
  });
  for (const [state, value] of newWeights) {
    if (value !== state) assignments.push({ state, value: whole(builder, state, value) });
  }
  return { parameters, assignments, memory: memories, refusals };
}

function updateDense(context: UpdateContext, options: UpdateOptions): UpdateResult {
  const { build, weights, multiplier } = context;
  const gradient = withL2(build, clipped(build, context.gradient, options), weights, options);
  const result = options.rule.update({ ...context, gradient });
  return { ...result, weights: withL1(build, result.weights, multiplier, options) };
}

/** The same where only some columns have a gradient: what is not done for them is noted, and the parameter left alone. */
function updateTouched(
  context: UpdateContext,
  options: UpdateOptions,
  parameter: NetworkNode,
  refusals: SparseRefusal[],
): UpdateResult {
  const { build, multiplier } = context;
  const { rule, l1Weight, l2Weight, noiseDeviation = 0 } = options;
  if (clipsByNorm(options)) {
    const when = exceedsNorm(build, context.gradient);
    const option = "gradientClippingWithTruncation = false";
    refusals.push({ parameter, option, place: { function: "Scale", line: 5349 }, when });
  }
  if (noiseDeviation > 0) {
    const place = { function: "SetGaussianRandomValue", line: 1553 };
    refusals.push({ parameter, option: "gaussianNoiseInjectStd", place });
    return context;
  }
  if (l2Weight > 0) {
    refusals.push({ parameter, option: "L2RegWeight", place: { function: "ScaleAndAdd", line: 5096 } });
    return context;
  }
  if (typeof rule.touched !== "function") {
    refusals.push({ parameter, option: `gradUpdateType = ${rule.entry.words[0]}`, place: rule.touched });
    return context;
  }
  const result = rule.touched({ ...context, gradient: clipped(build, context.gradient, options) });
  if (!(l1Weight > 0)) return result;
  const weights = whole(build, parameter, result.weights);
  return { ...result, weights: withL1(build, weights, multiplier, options) };
}

function assigned(assignments: readonly Assignment[]): NetworkNode[] {
  return assignments.flatMap(({ state, value }) => [state, value]);
}
