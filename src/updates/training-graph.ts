import { backwardGraph } from "../autodiff/backward.js";
import type { InternalGraph } from "../autodiff/graph-builder.js";
import { forwardGraph, neededNodes } from "../autodiff/forward.js";
import type { Assignment, ExecutionGraph } from "../network/execution-graph.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { restrictOrder, sortedByName } from "../network/node-order.js";
import { parameterAttributes } from "../ops/inputs.js";
import { clipped, withL1, withL2 } from "./penalties.js";
import { updateRuleFor } from "./rules.js";
import type { ScaledParameter } from "./scalars.js";
import type { UpdateOptions, UpdateRule } from "./update-rule.js";

/** One entry of CNTK's list of parameters to train, which is also the order of a checkpoint. */
export interface TrainedParameter extends ScaledParameter {
  readonly node: NetworkNode;
  /** Name of the state that holds the gradient between `gradients` and `update`. */
  readonly gradient: string;
  /** First part of the memory: for momentum SGD all of it. */
  readonly smoothedGradient: string;
  /** Names of the states that the update rule remembers; the checkpoint's matrix holds them behind each other. */
  readonly memory: readonly string[];
}

export interface TrainingGraph {
  readonly graph: ExecutionGraph;
  /** Sorted by name; a parameter with k uses stands k times and is updated k times. */
  readonly parameters: readonly TrainedParameter[];
  readonly rule: UpdateRule;
}

export interface TrainingRequest {
  readonly criterion: NetworkNode;
  /** Values to return from `gradients`: criterion and evaluation nodes. */
  readonly outputs: readonly NetworkNode[];
  readonly options: UpdateOptions;
}

/**
 * The graph of a training step. Entry `gradients` computes the outputs and stores each parameter's gradient, summed over
 * the samples, as state; entry `update` changes the parameters by it (its run-time numbers: `updateScalars`).
 * Source: SGDLib/SGD.cpp, TrainOneEpoch and UpdateWeights.
 */
export function trainingGraph(shaped: ShapedNetwork, request: TrainingRequest): TrainingGraph {
  const { criterion, outputs, options } = request;
  const forward = forwardGraph(shaped, [criterion, ...outputs], "training");
  const { builder, companions } = forward;
  const uses = trainedUses(shaped, criterion);

  const beforeGradients = builder.nodes.length;
  const gradients = backwardGraph(forward, criterion, uses);
  const gradientStates = new Map<NetworkNode, NetworkNode>();
  const stored: Assignment[] = [...gradients].map(([parameter, value]) => {
    const { shape } = builder.facts(parameter);
    const { storage } = builder.facts(value);
    const state = builder.state(`${parameter.name}:gradient:sum`, shape, 0, storage);
    gradientStates.set(parameter, state);
    return { state, value };
  });
  const accumulateOrder = [...forward.fullOrder, ...builder.nodes.slice(beforeGradients)];
  const accumulated = [...forward.assignments, ...stored];

  const beforeUpdates = builder.nodes.length;
  const rule = updateRuleFor(options);
  const update = updateNodes(builder, rule, uses, gradientStates, options);
  const updateOrder = [
    ...gradientStates.keys(),
    ...gradientStates.values(),
    ...builder.nodes.slice(beforeUpdates),
  ];
  return {
    rule,
    parameters: update.parameters,
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
          order: neededNodes(updateOrder, assigned(update.assignments), companions),
          outputs: [],
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

function updateNodes(
  builder: InternalGraph,
  rule: UpdateRule,
  uses: readonly NetworkNode[],
  gradientStates: ReadonlyMap<NetworkNode, NetworkNode>,
  options: UpdateOptions,
): { parameters: TrainedParameter[]; assignments: Assignment[] } {
  const newWeights = new Map<NetworkNode, NetworkNode>();
  const newGradients = new Map(gradientStates);
  const assignments: Assignment[] = [];
  const parameters = uses.map((node): TrainedParameter => {
    const { shape } = builder.facts(node);
    const gradientState = gradientStates.get(node);
    if (!gradientState) throw new Error(`${node.name} has no gradient`);
    const memory = rule.memory.map((part) => builder.state(`${node.name}:${part}`, shape));
    const multiplier = parameterAttributes(node).learningRateMultiplier;
    const weights = newWeights.get(node) ?? node;
    builder.within(`${node.name}:update`, () => {
      const limited = clipped(builder, newGradients.get(node) ?? gradientState, options);
      const gradient = withL2(builder, limited, weights, options);
      const result = rule.update({ build: builder, weights, gradient, memory, multiplier, options });
      memory.forEach((state, part) => assignments.push({ state, value: result.memory[part] ?? state }));
      newWeights.set(node, withL1(builder, result.weights, multiplier, options));
      newGradients.set(node, result.gradient);
    });
    return {
      node,
      multiplier,
      counter: { value: 0 },
      gradient: gradientState.name,
      smoothedGradient: memory[0]?.name ?? "",
      memory: memory.map((state) => state.name),
    };
  });
  for (const [state, value] of newWeights) assignments.push({ state, value });
  return { parameters, assignments };
}

function assigned(assignments: readonly Assignment[]): NetworkNode[] {
  return assignments.flatMap(({ state, value }) => [state, value]);
}
