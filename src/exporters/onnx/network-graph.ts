import { evaluationOrder } from "../../network/loops.js";
import type { DynamicAxis, NetworkNode, ShapedNetwork } from "../../network/network.js";
import { consumersOf, depthFirstOrder } from "../../network/node-order.js";
import { type ElementType, inElementType, type Values } from "../../numerics/values.js";
import { cosineRules } from "./cosines.js";
import { criterionRules } from "./criteria.js";
import { elementwiseRules } from "./elementwise.js";
import { Emission, noCounterpart, reversed } from "./emission.js";
import { OnnxGraph } from "./graph.js";
import { productRules } from "./products.js";
import { emitDelay, emitLoop } from "./recurrence.js";
import type { OperationRules } from "./rules.js";
import { quantizedRules } from "./quantized-times.js";
import { regionRules } from "./regions.js";
import { stackRules } from "./rnn-stack.js";
import { looksAlongSequences, sequenceRules } from "./sequences.js";
import { shapingRules } from "./shaping.js";
import { windowRules } from "./windows.js";

/** A rule for every operation that has a counterpart, one file per family. */
const rules: OperationRules = {
  ...elementwiseRules,
  ...productRules,
  ...shapingRules,
  ...windowRules,
  ...cosineRules,
  ...quantizedRules,
  ...regionRules,
  ...criterionRules,
  ...sequenceRules,
  ...stackRules,
};

/** Operation sets that can be asked for. */
export const opsets = { least: 13, most: 21, usual: 17 } as const;

export interface NetworkRequest {
  readonly shaped: ShapedNetwork;
  readonly outputs: readonly NetworkNode[];
  readonly elementType: ElementType;
  /** Values of parameters, and of everything else that needs no input. */
  readonly constants: ReadonlyMap<NetworkNode, Values>;
  readonly opset: number;
}

/**
 * The network, as far as its outputs need it, in operations of ONNX. What has a constant value needs nothing.
 * @throws CntkError `export-operation`, naming the first node that has no counterpart
 */
export function onnxGraph({ shaped, outputs, elementType, constants, opset }: NetworkRequest): OnnxGraph {
  const needed = depthFirstOrder(outputs, (node) => (constants.has(node) ? [] : node.inputs));
  const isNeeded = new Set(needed);
  const leading = needsTime(needed, shaped) ? 2 : 1;
  const graph = new OnnxGraph("network");
  const emission = new Emission(graph, shaped, elementType, opset, leading, new Map(), constants);
  const axes = new LeadingAxes(leading);
  // Inputs and outputs keep their names; what is in between may have to give way.
  for (const node of needed.filter(({ op }) => op.role === "input")) {
    const name = graph.take(node.name);
    graph.inputs.push({
      name,
      elementType,
      dims: [...axes.of(node, emission), ...reversed(emission.shape(node))],
    });
    emission.define(node, name);
  }
  const { order, loops } = evaluationOrder(outputs);
  const loopOf = new Map(loops.flatMap((loop) => loop.nodes.map((node) => [node, loop] as const)));
  const consumers = consumersOf(needed);
  const emitted = new Set<unknown>();
  for (const node of order) {
    if (!isNeeded.has(node)) continue;
    const loop = loopOf.get(node);
    if (!loop) emitNode(node, emission);
    else if (!emitted.has(loop)) {
      emitted.add(loop);
      const members = new Set(loop.nodes);
      const isUsedOutside = (member: NetworkNode): boolean =>
        outputs.includes(member) || [...(consumers.get(member) ?? [])].some((user) => !members.has(user));
      defineConstants(loop.nodes, emission);
      emitLoop(loop, isUsedOutside, emission, emitNode);
    }
  }
  for (const node of outputs) {
    if (node.op.name === "PackedIndex")
      throw noCounterpart(node, "as a result: it counts the columns of a minibatch");
    const dims = [...axes.of(node, emission), ...reversed(emission.shape(node))];
    graph.outputs.push({ name: outputTensor(node, emission), elementType, dims });
  }
  return graph;
}

/** Does any of the nodes look along its sequences? Then inputs and outputs have an axis of time in front of that of samples. */
export function needsTime(nodes: readonly NetworkNode[], { facts }: ShapedNetwork): boolean {
  return nodes.some((node) => {
    const own = facts.get(node);
    return own !== undefined && looksAlongSequences(node, own);
  });
}

/** Names of the axes in front: N samples, and the lengths of the sequences, which are the same on a dynamic axis. */
class LeadingAxes {
  private readonly lengths = new Map<DynamicAxis, string>();

  constructor(private readonly leading: number) {}

  of(node: NetworkNode, emission: Emission): string[] {
    const { dynamicAxis } = emission.facts(node);
    if (!dynamicAxis) return [];
    if (this.leading === 1) return ["N"];
    const count = this.lengths.size;
    const length = this.lengths.get(dynamicAxis) ?? (count === 0 ? "T" : `T${count + 1}`);
    this.lengths.set(dynamicAxis, length);
    return [length, "N"];
  }
}

/** What loops read of parameters stands outside of them. */
function defineConstants(nodes: readonly NetworkNode[], emission: Emission): void {
  for (const node of nodes) {
    for (const input of node.inputs) if (emission.values.has(input)) emitNode(input, emission);
  }
}

function emitNode(node: NetworkNode, emission: Emission): void {
  if (emission.has(node)) return;
  emission.graph.beginNode(node.name);
  const values = emission.values.get(node);
  if (values) {
    const typed = inElementType(values, emission.elementType);
    const learningRateMultiplier = Number(node.attributes["learningRateMultiplier"] ?? 0);
    const dims = reversed(emission.shape(node));
    emission.define(
      node,
      emission.graph.constant(node.name, { dims, values: typed, learningRateMultiplier }),
    );
    return;
  }
  if (node.op.delay) {
    emitDelay(node, emission);
    return;
  }
  const rule = Object.hasOwn(rules, node.op.name) ? rules[node.op.name] : undefined;
  if (!rule) throw noCounterpart(node, undefined, insteadOf(node));
  emission.define(node, rule(node, emission));
}

/** Criteria without a counterpart: which of their inputs they measure. */
const measuredInput: Readonly<Record<string, number>> = {
  EditDistanceError: 0,
  ForwardBackward: 1,
  LambdaRank: 1,
  NDCG1Eval: 1,
  NCEBasedCrossEntropyWithSoftmax: 1,
  SequenceWithSoftmax: 1,
};

/** What stands in for the drawing of samples, and for means over an epoch, when a trained model is used. */
const usedInstead: Readonly<Record<string, string>> = {
  RandomSample:
    "it draws other classes in every minibatch of training: --output with the scores of all classes leaves it out",
  RandomSampleInclusionFrequency:
    "it serves training with drawn classes: --output with the scores of all classes leaves it out",
  EpochAccumulator: "it averages over an epoch: --output with its input gives what is averaged",
};

/** What could replace a node that has no counterpart. */
function insteadOf({ op, inputs }: NetworkNode): string | undefined {
  const measured = inputs[measuredInput[op.name] ?? inputs.length];
  return measured ? `--output ${measured.name} is what it measures` : usedInstead[op.name];
}

/** An output has its node's name, also where the node is an input or a parameter, or the name was taken. */
function outputTensor(node: NetworkNode, emission: Emission): string {
  const tensor = emission.tensor(node);
  const isComputed = emission.graph.nodes.some(({ outputs }) => outputs.includes(tensor));
  return isComputed ? tensor : emission.add("Identity", [tensor], `${node.name}/output`);
}
