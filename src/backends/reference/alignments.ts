import { columnsOf } from "../../minibatch/layout.js";
import type { Values } from "../../numerics/values.js";
import { operandAt, axisOf, type KernelCompiler } from "../host/kernel.js";
import { countOf, numberAt } from "./cells.js";

/** The first of the largest rows of a column. */
function largestRow(values: Values, height: number, column: number): number {
  const cells = [...values.subarray(column * height, (column + 1) * height)];
  return cells.reduce((best, x, row) => (x > (cells[best] ?? NaN) ? row : best), 0);
}

const logarithmOfZero = -10e10;
const logAdd = (...terms: readonly number[]): number =>
  terms.reduce((sum, x) => Math.max(sum, x) + Math.log1p(Math.exp(-Math.abs(sum - x))), logarithmOfZero);

/**
 * α(t, s) and β(t, s) by their recursions, remembered; loss = −ln(β(0, 0) + β(0, 1)); the posterior of a label is the sum of
 * α·β/p over its places, made to add up to 1 in each frame.
 */
export const connectionistTemporal: KernelCompiler<"connectionistTemporal"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const { blank, delay, result } = parameters;
  const [labels, logSoftmax] = [operandAt(reads, 0), operandAt(reads, 1)];
  const height = countOf(labels.dims);
  return (run) => {
    const layout = run.layout(axisOf(labels));
    const [given, scores, target] = [run.view(labels), run.view(logSoftmax), run.view(writes)];
    if (result === "posteriors") target.fill(0, 0, height * run.columns(writes.axis));
    let loss = 0;
    for (const sequence of layout.sequences) {
      const columns = [...columnsOf(layout, sequence)];
      const frames = columns.length;
      if (frames === 0) continue;
      const begins = columns.flatMap((column, frame) => {
        const label = largestRow(given, height, column);
        return given[column * height + label] === 2 ? [{ label, frame }] : [];
      });
      const places = [
        ...begins.flatMap(({ label, frame }) => [
          { label: blank, frame },
          { label, frame },
        ]),
      ];
      places.push({ label: blank, frame: frames });
      const score = (t: number, s: number) => numberAt(scores, columns[t]! * height + places[s]!.label);
      const isAllowed = (t: number, s: number) => {
        // CNTK's table has a zero behind the last blank; below zero its unsigned limit is none.
        const bound = s === places.length - 1 ? 0 : (places[s + 2]?.frame ?? frames);
        const latest = bound + delay - (places[s]!.label === blank ? 1 : 0);
        return delay < 0 || latest < 0 || t <= latest;
      };
      const skips = (s: number, other: number) =>
        places[s]!.label !== blank && places[other] !== undefined && places[s]!.label !== places[other].label;
      /** A table by frame and place, filled from the first frame on or from the last one. */
      const recursion = (direction: 1 | -1): number[][] => {
        const table: number[][] = [];
        const start = direction > 0 ? 0 : frames - 1;
        for (let turn = 0; turn < frames; turn++) {
          const t = start + direction * turn;
          const before = table[t - direction];
          table[t] = places.map((_, s) => {
            const fromEdge = direction > 0 ? s : places.length - 1 - s;
            if (!before) return fromEdge < 2 ? score(t, s) : logarithmOfZero;
            if (!isAllowed(t, s)) return logarithmOfZero;
            const [one, two] = [s - direction, s - 2 * direction];
            const sources = [
              ...(skips(s, two) ? [before[two]!] : []),
              ...(before[one] === undefined ? [] : [before[one]]),
            ];
            return logAdd(...sources, before[s]!) + score(t, s);
          });
        }
        return table;
      };
      const backward = recursion(-1);
      const total = logAdd(...backward[0]!.slice(0, 2));
      loss -= total;
      if (result === "loss") continue;
      const forward = recursion(1);
      columns.forEach((column, t) => {
        const occupancies = Array.from({ length: height }, (_, row) =>
          logAdd(
            ...places.flatMap(({ label }, s) =>
              label === row ? [forward[t]![s]! + backward[t]![s]! - score(t, s) - total] : [],
            ),
          ),
        ).map((x) => (x < logarithmOfZero ? 0 : Math.exp(x)));
        const sum = Math.max(
          occupancies.reduce((all, x) => all + x, 0),
          1e-30,
        );
        occupancies.forEach((x, row) => (target[column * height + row] = x / sum));
      });
    }
    if (result === "loss") target[0] = loss;
  };
};

/** (insertions + deletions + substitutions of the cheapest ways) · frames / labels of a. */
export const editDistance: KernelCompiler<"editDistance"> = ({ reads, writes, parameters }) => {
  const { substitutionPenalty, deletionPenalty, insertionPenalty, squashInputs, ignored } = parameters;
  const [a, b] = [operandAt(reads, 0), operandAt(reads, 1)];
  const float = Math.fround;
  return (run) => {
    const layout = run.layout(axisOf(a));
    let [errors, frames, total] = [0, 0, 0];
    for (const sequence of layout.sequences) {
      const columns = [...columnsOf(layout, sequence)];
      if (columns.length === 0) continue;
      const [from, to] = [a, b].map((operand) => {
        const all = columns.map((column) => largestRow(run.view(operand), countOf(operand.dims), column));
        const squashed = squashInputs ? all.filter((label, i) => label !== all[i - 1]) : all;
        return squashed.filter((label) => !ignored.includes(label));
      }) as [number[], number[]];
      /** Cost (a float in CNTK) and steps of the cheapest way between the first i and the first j labels. */
      const table: { cost: number; steps: number }[][] = [];
      for (let i = 0; i <= from.length; i++) {
        const row: { cost: number; steps: number }[] = [];
        table.push(row);
        for (let j = 0; j <= to.length; j++) {
          if (i === 0 || j === 0) {
            row.push({ cost: float(i * deletionPenalty + j * insertionPenalty), steps: i + j });
            continue;
          }
          const [diagonal, above, before] = [table[i - 1]![j - 1]!, table[i - 1]![j]!, row[j - 1]!];
          const more = ({ cost, steps }: { cost: number; steps: number }, penalty: number) => ({
            cost: float(cost + float(penalty)),
            steps: steps + 1,
          });
          const substitution = more(diagonal, substitutionPenalty);
          const deletion = more(above, deletionPenalty);
          const insertion = more(before, insertionPenalty);
          if (from[i - 1] === to[j - 1]) row.push(diagonal);
          else if (substitution.cost <= Math.min(deletion.cost, insertion.cost)) row.push(substitution);
          else row.push(deletion.cost < insertion.cost ? deletion : insertion);
        }
      }
      frames += columns.length;
      total += from.length;
      errors += table[from.length]![to.length]!.steps;
    }
    run.view(writes)[0] = (errors * frames) / total;
  };
};
