import type { NetworkNode, NodeFacts, SampleShape } from "../network/network.js";
import { elementCount, formatShape } from "../network/network.js";
import type { RunLog } from "../log/run-log.js";
import type { SgdOptions } from "./sgd-options.js";

const described = (node: NetworkNode): string => `${node.name} = ${node.op.name}\n`;

/** `Model has … nodes` (SGD.cpp, TrainOrAdaptModel). */
export function modelLine(log: RunLog, nodeCount: number): void {
  log.stamped(`\nModel has ${nodeCount} nodes. Using CPU.\n`);
}

/** What is trained. */
export function criteriaBlock(log: RunLog, criteria: readonly NetworkNode[]): void {
  log.write("\n");
  listed(log, "Training criterion:   ", "Training criteria:\n", criteria);
}

/** What is watched beside it. */
export function evaluationsBlock(log: RunLog, evaluations: readonly NetworkNode[]): void {
  if (evaluations.length > 1) log.write("\n");
  if (evaluations.length) listed(log, "Evaluation criterion: ", "Evaluation criteria:\n", evaluations);
}

/** What stands in the log where there is nothing to train. */
export function noCriterionBlock(log: RunLog): void {
  log.write("\n");
  log.stamped("Training criteria:\n");
  log.stamped("\t(none)\n");
}

function listed(log: RunLog, one: string, several: string, nodes: readonly NetworkNode[]): void {
  const [first, ...others] = nodes;
  if (!first) return;
  if (others.length === 0) {
    log.stamped(one + described(first));
  } else {
    log.stamped(several);
    for (const node of nodes) log.stamped(`\t${described(node)}`);
  }
}

/** The list of parameters that are trained; `nodesWithGradient` counts nodes below the criterion. */
export function parametersBlock(
  log: RunLog,
  parameters: readonly { readonly node: NetworkNode; readonly shape: SampleShape }[],
  nodesWithGradient: number,
  traceLevel: number,
): void {
  const elements = parameters.reduce((sum, parameter) => sum + elementCount(parameter.shape), 0);
  log.write("\n");
  if (traceLevel === 0) {
    log.stamped(`Training ${elements} parameters in ${parameters.length} parameter tensors.\n`);
  } else {
    log.stamped(
      `Training ${elements} parameters in ${parameters.length} out of ${parameters.length} parameter tensors ` +
        `and ${nodesWithGradient} nodes with gradient:\n\n`,
    );
    for (const { node, shape } of parameters) {
      log.stamped(`\tNode '${node.name}' (${node.op.name} operation) : ${formatShape(shape)}\n`);
    }
  }
  log.write("\n");
}

/** Nodes among `order` that need a gradient. */
export function countWithGradient(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): number {
  return order.filter((node) => facts.get(node)?.needsGradient).length;
}

/** `maxTempMemSizeInSamplesForCNN` does nothing on a CPU but for these lines (ComputationNetwork.cpp, SetMaxTempMemSizeForCNN). */
export function memoryForConvolutions(log: RunLog, options: SgdOptions, order: readonly NetworkNode[]): void {
  const samples = options.maxTempMemSizeInSamplesForCNN;
  if (samples === 0) return;
  log.write(`Setting max temp memory size for Convolution operations to ${wholeSize(samples)} samples.\n`);
  if (!order.some(({ op }) => op.name === "Convolution"))
    log.write("WARNING: No Convolution operation found.\n");
}

/** A size of 64 bits; the largest one is read as 2^64. */
function wholeSize(size: number): bigint {
  return size >= 2 ** 64 ? 2n ** 64n - 1n : BigInt(size);
}
