import { columnsOf } from "../../minibatch/layout.js";
import type { Values } from "../../numerics/values.js";
import type { EditDistanceParameters } from "../../primitives/parameters.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";

/**
 * Errors · frames / labels of `a`, over all sequences: the least costly way from one sequence of labels to the other, of which
 * the steps are counted, not their penalties. Labels are the largest rows of the frames.
 * Source: Source/ComputationNetworkLib/EvaluationNodes.h, EditDistanceErrorNode.
 */
export const compileEditDistance: KernelCompiler<"editDistance"> = ({ reads, writes, parameters }) => {
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const heights = [a, b].map(({ dims }) => dims.reduce((product, dim) => product * dim, 1));
  return (run) => {
    const layout = run.layout(axisOf(a));
    const [first, second] = [run.view(a), run.view(b)];
    let [errors, frames, labels] = [0, 0, 0];
    for (const placement of layout.sequences) {
      const columns = columnsOf(layout, placement);
      if (columns.length === 0) continue;
      const from = labelsOf(first, columns, heights[0]!, parameters);
      const to = labelsOf(second, columns, heights[1]!, parameters);
      frames += columns.length;
      labels += from.length;
      errors += stepsBetween(from, to, parameters);
    }
    run.view(writes)[0] = (errors * frames) / labels;
  };
};

/** The labels of some columns; squashed: runs of one label count once. */
function labelsOf(
  values: Values,
  columns: Int32Array,
  height: number,
  { squashInputs, ignored }: EditDistanceParameters,
): number[] {
  const labels: number[] = [];
  let last = -1;
  for (const column of columns) {
    let label = 0;
    for (let row = 1; row < height; row++) {
      if (values[column * height + row]! > values[column * height + label]!) label = row;
    }
    const isRepeated = squashInputs && label === last;
    last = label;
    if (!isRepeated && !ignored.includes(label)) labels.push(label);
  }
  return labels;
}

/** How many insertions, deletions and substitutions the cheapest way has; ties: substitution, then insertion. */
function stepsBetween(
  from: readonly number[],
  to: readonly number[],
  penalties: EditDistanceParameters,
): number {
  const { substitutionPenalty, deletionPenalty, insertionPenalty } = penalties;
  // Rows of the table, one label of `from` each: the cost so far (a float in CNTK) and the number of steps.
  let costs = Float32Array.from({ length: to.length + 1 }, (_, j) => j * insertionPenalty);
  let counts = Int32Array.from({ length: to.length + 1 }, (_, j) => j);
  for (let i = 1; i <= from.length; i++) {
    const nextCosts = new Float32Array(to.length + 1);
    const nextCounts = new Int32Array(to.length + 1);
    nextCosts[0] = i * deletionPenalty;
    nextCounts[0] = i;
    for (let j = 1; j <= to.length; j++) {
      if (from[i - 1] === to[j - 1]) {
        nextCosts[j] = costs[j - 1]!;
        nextCounts[j] = counts[j - 1]!;
        continue;
      }
      const deletion = Math.fround(costs[j]! + Math.fround(deletionPenalty));
      const insertion = Math.fround(nextCosts[j - 1]! + Math.fround(insertionPenalty));
      const substitution = Math.fround(costs[j - 1]! + Math.fround(substitutionPenalty));
      if (substitution <= deletion && substitution <= insertion) {
        nextCosts[j] = substitution;
        nextCounts[j] = counts[j - 1]! + 1;
      } else if (deletion < insertion) {
        nextCosts[j] = deletion;
        nextCounts[j] = counts[j]! + 1;
      } else {
        nextCosts[j] = insertion;
        nextCounts[j] = nextCounts[j - 1]! + 1;
      }
    }
    [costs, counts] = [nextCosts, nextCounts];
  }
  return counts[to.length]!;
}
