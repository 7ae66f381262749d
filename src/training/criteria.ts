import type { NetworkNode } from "../network/network.js";
import type { CriterionSum } from "../log/training-lines.js";
import type { Output, Outputs } from "../backends/backend.js";
import { gapMask, sampleCount } from "../minibatch/index.js";
import type { ElementType } from "../numerics/values.js";

/** Nodes whose final lines show a perplexity. */
const perplexityOperations = new Set([
  "CrossEntropyWithSoftmax",
  "CrossEntropy",
  "ClassBasedCrossEntropyWithSoftmax",
  "NoiseContrastiveEstimation",
]);

/**
 * Sum of a criterion node's value over the samples, gaps left out: added in double, rounded to the element type as CNTK's
 * tensor reduction does.
 */
export function sumOverSamples({ values, layout }: Output, elementType: ElementType): number {
  let sum = 0;
  const gaps = layout && gapMask(layout);
  const perColumn = gaps ? values.length / gaps.length : 0;
  values.forEach((value, index) => {
    if (!gaps || !gaps[Math.floor(index / perColumn)]) sum += value;
  });
  return elementType === "float" ? Math.fround(sum) : sum;
}

/** Samples that a criterion's value counts for: those on its own axis, else those of the minibatch (Criterion.h, GetNumSamples). */
export function samplesOf({ layout }: Output, ofMinibatch: number): number {
  return layout && ofMinibatch > 0 ? sampleCount(layout) : ofMinibatch;
}

/**
 * Accumulates criterion values over minibatches (SGDLib/Criterion.h): training adds in the element type,
 * evaluation in double. Displays show differences between two states of the accumulator.
 */
export class CriterionAccumulator {
  private readonly sums: number[];
  private readonly counts: number[];

  constructor(
    private readonly nodes: readonly NetworkNode[],
    private readonly elementType: ElementType,
    private readonly addInDouble: boolean,
  ) {
    this.sums = nodes.map(() => 0);
    this.counts = nodes.map(() => 0);
  }

  /** Adds one minibatch: `values` by node name, `samples` real samples (no gaps) on the network's own axis. */
  add(values: Outputs, samples: number): void {
    if (samples === 0) return;
    this.nodes.forEach((node, index) => {
      const value = values.get(node.name);
      if (!value) throw new Error(`the backend gave no value for ${node.name}`);
      const sum = (this.sums[index] ?? 0) + sumOverSamples(value, this.elementType);
      this.sums[index] = this.addInDouble || this.elementType === "double" ? sum : Math.fround(sum);
      this.counts[index] = (this.counts[index] ?? 0) + samplesOf(value, samples);
    });
  }

  /** The state so far, or what came since an earlier state. */
  read(since?: readonly CriterionSum[]): CriterionSum[] {
    return this.nodes.map((node, index) => ({
      name: node.name,
      sum: (this.sums[index] ?? 0) - (since?.[index]?.sum ?? 0),
      count: (this.counts[index] ?? 0) - (since?.[index]?.count ?? 0),
      perplexity: perplexityOperations.has(node.op.name),
    }));
  }
}
