import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { inputsBelow } from "../network/node-order.js";
import { newValues, type Values } from "../numerics/values.js";
import { compilePlan, planGraph, trainingModeGraph } from "../computing.js";
import type { Reader } from "../readers/reader.js";
import type { Session } from "../session.js";
import { feedNetwork } from "./feed.js";
import { located } from "./located-failures.js";
import { Interruption } from "./interruption.js";
import { withAttributes } from "./normalization-constants.js";
import type { ParameterStore } from "./parameters.js";

/** Constants of a node whose statistics are being taken, over all the data, and of one that has them. */
const measuring = { normalizationTimeConstant: -1, blendTimeConstant: 0 };
const frozen = { normalizationTimeConstant: Infinity, blendTimeConstant: Infinity };

export interface NormalizationStatisticsRequest {
  readonly shaped: ShapedNetwork;
  /** BatchNormalization nodes, in evaluation order: one sees what those below it make of the data with their new statistics. */
  readonly nodes: readonly NetworkNode[];
  readonly values: ParameterStore;
  readonly reader: Reader;
  readonly minibatchSize: number;
  /** Minibatches for each node. */
  readonly iterations: number;
}

/** A network whose batch normalizations have new statistics, and are frozen. */
export interface NormalizedNetwork {
  readonly shaped: ShapedNetwork;
  readonly values: ParameterStore;
}

/**
 * Estimates mean and variance of batch normalizations anew, one after another (SGDLib/PostComputingActions.cpp).
 * @throws CntkError `data-too-short` when the data ends first.
 */
export async function estimateNormalizations(
  session: Pick<Session, "backend" | "elementType" | "log" | "signal">,
  request: NormalizationStatisticsRequest,
): Promise<NormalizedNetwork> {
  const { nodes, reader, minibatchSize, iterations } = request;
  const epochSize = nodes.length * minibatchSize * iterations;
  if (epochSize === 0) {
    throw new CntkError({
      code: "epoch-size-zero",
      message: "Epoch size cannot be 0.",
      hint:
        nodes.length === 0
          ? "the network has no batch normalization"
          : "itersPerNode and minibatchSize are 1 or more",
    });
  }
  await reader.start({ epoch: 0, minibatchSize, epochSize, rank: 0, workers: 1 });
  let { shaped, values } = request;
  for (const node of nodes) {
    session.log.stamped(`Estimating Statistics --> ${node.name}\n`);
    const measured = withAttributes(shaped, [node], measuring);
    const found = await estimate(session, { ...request, shaped: measured, values }, node);
    values = values.with(found);
    shaped = withAttributes(shaped, [node], frozen);
  }
  return { shaped, values };
}

/** The running statistics of one node, after so many minibatches from nothing. */
async function estimate(
  session: Pick<Session, "backend" | "elementType" | "signal">,
  { shaped, values, reader, iterations }: NormalizationStatisticsRequest,
  node: NetworkNode,
): Promise<ReadonlyMap<NetworkNode, Values>> {
  const running = node.inputs.slice(3);
  const counter = node.inputs[5];
  const before = counter ? values.with(new Map([[counter, newValues(session.elementType, 1)]])) : values;
  const plan = planGraph(trainingModeGraph(shaped, [node]), session.elementType);
  const { executable } = await compilePlan(session, plan, before);
  const inputs = inputsBelow([node]);
  const interruption = new Interruption(session.signal);
  try {
    for (let iteration = 0; iteration < iterations; iteration++) {
      const minibatch = await reader.next();
      if (!minibatch) {
        throw new CntkError({
          code: "data-too-short",
          message: "DataRead Failure in batch normalization statistics",
          hint: "each batch normalization takes itersPerNode minibatches of minibatchSize samples; the data has fewer",
        });
      }
      const data = feedNetwork(minibatch, inputs, shaped.facts);
      await located(shaped, () => executable.run("evaluate", data, { dropoutRate: 0 }));
      await interruption.check();
    }
    const states = await executable.readState(running.map(({ name }) => name));
    return new Map(running.map((state) => [state, states.get(state.name) ?? new Float64Array()]));
  } finally {
    await executable.dispose();
  }
}
