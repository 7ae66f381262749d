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

/** Per node: the sum over the samples of a piece of a minibatch, and how many they are. */
export type CriterionPart = readonly { readonly sum: number; readonly count: number }[];

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

  /** What a minibatch, or a piece of one, gives: its values by node name, and its real samples on the network's own axis. */
  part(values: Outputs, samples: number): CriterionPart {
    return this.nodes.map((node) => {
      const value = values.get(node.name);
      if (!value) throw new Error(`the backend gave no value for ${node.name}`);
      return { sum: sumOverSamples(value, this.elementType), count: samplesOf(value, samples) };
    });
  }

  /** Adds one minibatch. */
  add(values: Outputs, samples: number): void {
    if (samples > 0) this.addParts([this.part(values, samples)], samples);
  }

  /** Adds one minibatch: what its pieces gave, and all its samples. */
  addParts(parts: readonly CriterionPart[], samples: number): void {
    if (samples === 0) return;
    const rounded = (sum: number): number => (this.elementType === "double" ? sum : Math.fround(sum));
    this.nodes.forEach((_, index) => {
      const ofMinibatch = parts.reduce((sum, part) => rounded(sum + (part[index]?.sum ?? 0)), 0);
      const sum = (this.sums[index] ?? 0) + ofMinibatch;
      this.sums[index] = this.addInDouble ? sum : rounded(sum);
      this.counts[index] = parts.reduce(
        (count, part) => count + (part[index]?.count ?? 0),
        this.counts[index] ?? 0,
      );
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
