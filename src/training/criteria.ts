import type { NetworkNode } from "../network/network.js";
import type { CriterionSum } from "../log/training-lines.js";
import { type Output, outputOf, type Outputs } from "../backends/backend.js";
import { accumulates } from "./accumulated-results.js";
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
  for (let index = 0; index < values.length; index++) {
    if (!gaps || !gaps[Math.floor(index / perColumn)]) sum += values[index]!;
  }
  return elementType === "float" ? Math.fround(sum) : sum;
}

/** Samples that a criterion's value counts for: those on its own axis, else those of the minibatch (Criterion.h, GetNumSamples). */
export function samplesOf({ layout }: Output, ofMinibatch: number): number {
  return layout && ofMinibatch > 0 ? sampleCount(layout) : ofMinibatch;
}

/** What a minibatch adds to the criteria: for each watched node its sum and the samples that it counts. */
export interface MinibatchSums {
  /** Columns of the minibatch, gaps included (`paddedSamples`). */
  readonly samples: number;
  readonly criteria: readonly { readonly sum: number; readonly count: number }[];
}

/** The sums of a minibatch by a backend's outputs; `labelled` real samples (no gaps) on the network's own axis. */
export function minibatchSums(
  nodes: readonly NetworkNode[],
  values: Outputs,
  samples: number,
  labelled: number,
  elementType: ElementType,
): MinibatchSums {
  const criteria = nodes.map((node) => {
    const value = outputOf(values, node.name);
    if (labelled === 0) return { sum: 0, count: 0 };
    return { sum: sumOverSamples(value, elementType), count: samplesOf(value, labelled) };
  });
  return { samples, criteria };
}

/** The sums of a minibatch by those of its pieces, which are added in the element type; `samples` as above. */
export function joinedSums(
  parts: readonly MinibatchSums[],
  samples: number,
  elementType: ElementType,
): MinibatchSums {
  const rounded = (sum: number): number => (elementType === "double" ? sum : Math.fround(sum));
  const criteria = (parts[0]?.criteria ?? []).map((_, index) =>
    parts.reduce(
      (total, part) => ({
        sum: rounded(total.sum + (part.criteria[index]?.sum ?? 0)),
        count: total.count + (part.criteria[index]?.count ?? 0),
      }),
      { sum: 0, count: 0 },
    ),
  );
  return { samples, criteria };
}

/** What no minibatch adds. */
export function noSums(nodes: readonly NetworkNode[]): MinibatchSums {
  return { samples: 0, criteria: nodes.map(() => ({ sum: 0, count: 0 })) };
}

/**
 * Accumulates criterion values over minibatches (SGDLib/Criterion.h): training adds in the element type,
 * evaluation in double. Displays show differences between two states of the accumulator.
 */
export class CriterionAccumulator {
  private readonly sums: number[];
  private readonly counts: number[];
  /** Nodes whose value is a result of the whole pass: it replaces the one before, and counts once. */
  private readonly areResults: readonly boolean[];

  constructor(
    private readonly nodes: readonly NetworkNode[],
    private readonly elementType: ElementType,
    private readonly addInDouble: boolean,
  ) {
    this.sums = nodes.map(() => 0);
    this.counts = nodes.map(() => 0);
    this.areResults = nodes.map(accumulates);
  }

  /** Adds one minibatch: `values` by node name, `samples` real samples (no gaps) on the network's own axis. */
  add(values: Outputs, samples: number): void {
    if (samples > 0) this.addSums(minibatchSums(this.nodes, values, samples, samples, this.elementType));
  }

  /** Adds what a minibatch has given. */
  addSums({ criteria }: MinibatchSums): void {
    criteria.forEach(({ sum, count }, index) => {
      if (this.areResults[index]) {
        if (count === 0) return;
        this.sums[index] = sum;
        this.counts[index] = 1;
        return;
      }
      const total = (this.sums[index] ?? 0) + sum;
      this.sums[index] = this.addInDouble || this.elementType === "double" ? total : Math.fround(total);
      this.counts[index] = (this.counts[index] ?? 0) + count;
    });
  }

  /** The state so far, or what came since an earlier state. */
  read(since?: readonly CriterionSum[]): CriterionSum[] {
    const before = (index: number) => (this.areResults[index] ? undefined : since?.[index]);
    return this.nodes.map((node, index) => ({
      name: node.name,
      sum: (this.sums[index] ?? 0) - (before(index)?.sum ?? 0),
      count: (this.counts[index] ?? 0) - (before(index)?.count ?? 0),
      perplexity: perplexityOperations.has(node.op.name),
    }));
  }
}
