import { columnCount, type AxisLayout, type Minibatch, sampleCount } from "../minibatch/index.js";
import type { DynamicAxis, NetworkNode, ShapedNetwork } from "../network/network.js";

/** The layout of the network's own dynamic axis in a minibatch; undefined when no input that was delivered lies on it. */
function defaultLayout(
  minibatch: Minibatch,
  { network, facts, defaultAxis }: ShapedNetwork,
): AxisLayout | undefined {
  const input = network.nodes.find(
    (node) =>
      node.op.role === "input" &&
      facts.get(node)?.dynamicAxis === defaultAxis &&
      minibatch.streams.has(node.name),
  );
  return input && minibatch.streams.get(input.name)?.layout;
}

/**
 * Real samples (no gaps) of a minibatch on the network's own dynamic axis: what criteria without an axis are averaged over
 * (ComputationNetwork.h, GetNumSamplesWithLabelOfNetwork).
 */
export function labelledSamples(minibatch: Minibatch, shaped: ShapedNetwork): number {
  const layout = defaultLayout(minibatch, shaped);
  return layout ? sampleCount(layout) : 0;
}

/** Sequences side by side on that axis, from 1. */
export function parallelSequences(minibatch: Minibatch, shaped: ShapedNetwork): number {
  return Math.max(defaultLayout(minibatch, shaped)?.rows ?? 1, 1);
}

/**
 * Columns of the longest feature, gaps included: CNTK's actualMBSize, which momentum, clipping and penalties count and a write
 * tells of (ComputationNetwork.h, DetermineActualMBSizeFromFeatures). A feature counts whether or not anything needs it, but has
 * samples only where one of the inputs that are read lies on its axis: all of them in a training.
 */
export function paddedSamples(
  minibatch: Minibatch,
  { network, facts }: ShapedNetwork,
  read: readonly NetworkNode[],
): number {
  const axisOf = (node: NetworkNode): DynamicAxis | null => facts.get(node)?.dynamicAxis ?? null;
  const columns = network.groups.feature.map((feature) => {
    const onAxis = read.find(
      (input) => axisOf(input) === axisOf(feature) && minibatch.streams.has(input.name),
    );
    const layout = onAxis && minibatch.streams.get(onAxis.name)?.layout;
    return layout ? columnCount(layout) : 0;
  });
  return Math.max(0, ...columns);
}
