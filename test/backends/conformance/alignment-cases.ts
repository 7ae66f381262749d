import { argument, subtract } from "../../../src/primitives/expression.js";
import { eighths } from "../../support/plan-builder.js";
import { layoutOf, type SequenceCase } from "../../support/sequence-case.js";

const layout = layoutOf(2, 5, [0, 0, 5], [1, 0, 3], [1, 3, 1]);
const height = 4;
const blank = 3;

/** Frames of one-hot labels; a 2 marks where a label begins. `begins[column]` is the label, −1 for none. */
function labels(begins: readonly number[], others: readonly number[]): number[] {
  return begins.flatMap((label, column) =>
    Array.from({ length: height }, (_, row) =>
      row === label ? 2 : label < 0 && row === others[column] ? 1 : 0,
    ),
  );
}

// Row 0: labels 0 and 1; row 1: labels 2 and 2, then a sequence of one frame with label 1; column 9 is a gap.
const begins = [0, 2, -1, 2, 1, -1, -1, 1, -1, -1];
const graph = labels(
  begins,
  begins.map(() => 0),
);
const scores = eighths(height * 10, 6);

/** ln of the sum over all paths of frames' labels that collapse to the labels, by trying every path. */
function bruteForce(
  columns: readonly number[],
  wanted: readonly number[],
  logSoftmax: readonly number[],
): number {
  let total = 0;
  const paths = height ** columns.length;
  for (let number = 0; number < paths; number++) {
    const path = columns.map((_, t) => Math.floor(number / height ** t) % height);
    const collapsed = path.filter((label, t) => label !== path[t - 1]).filter((label) => label !== blank);
    if (collapsed.join() !== wanted.join()) continue;
    total += Math.exp(path.reduce((sum, label, t) => sum + logSoftmax[columns[t]! * height + label]!, 0));
  }
  return Math.log(total);
}

const logSoftmax = Array.from({ length: 10 }, (_, column) => {
  const column4 = scores.slice(column * height, (column + 1) * height);
  const sum = Math.log(column4.reduce((all, x) => all + Math.exp(x), 0));
  return column4.map((x) => x - sum);
}).flat();

const loss = -(
  bruteForce([0, 2, 4, 6, 8], [0, 1], logSoftmax) +
  bruteForce([1, 3, 5], [2, 2], logSoftmax) +
  bruteForce([7], [1], logSoftmax)
);

const connectionist = (delay: number, result: "loss" | "posteriors"): SequenceCase => ({
  name: `connectionist temporal classification: ${result}, delay ${delay}`,
  build: (b) => {
    const reads = [b.input("labels", [height]), b.input("scores", [height])];
    const output = b.temporary(result === "loss" ? [1] : [height], result === "posteriors");
    b.emit("connectionistTemporal", reads, output, { result, blank, delay }).output("y", output);
  },
  minibatches: [{ layouts: { "*": layout }, inputs: { labels: graph, scores: logSoftmax } }],
  ...(delay < 0 && result === "loss" && { expected: [{ y: [loss] }] }),
});

/** Frames with the given largest rows. */
const frames = (rows: readonly number[]) =>
  rows.flatMap((largest) => Array.from({ length: height }, (_, row) => (row === largest ? 1 : 0)));

const distance = (
  name: string,
  [a, b]: readonly [number[], number[]],
  expected: number,
  more: { squashInputs?: boolean; ignored?: number[] } = {},
): SequenceCase => ({
  name: `edit distance, ${name}`,
  build: (builder) => {
    const output = builder.temporary([1], false);
    const reads = [builder.input("a", [height]), builder.input("b", [height])];
    builder
      .emit("editDistance", reads, output, {
        substitutionPenalty: 1,
        deletionPenalty: 1,
        insertionPenalty: 1,
        squashInputs: false,
        ignored: [],
        ...more,
      })
      .output("y", output);
  },
  minibatches: [
    { layouts: { "*": layoutOf(1, a.length, [0, 0, a.length]) }, inputs: { a: frames(a), b: frames(b) } },
  ],
  expected: [{ y: [expected] }],
});

export const alignmentCases: SequenceCase[] = [
  connectionist(-1, "loss"),
  connectionist(1, "loss"),
  connectionist(-1, "posteriors"),
  connectionist(1, "posteriors"),
  {
    name: "posteriors add up to one in every frame",
    build: (b) => {
      const reads = [b.input("labels", [height]), b.input("scores", [height])];
      const [posteriors, sums, rest] = [b.temporary([height]), b.temporary([1]), b.temporary([1])];
      b.emit("connectionistTemporal", reads, posteriors, { result: "posteriors", blank, delay: -1 });
      b.emit("reduce", [posteriors], sums, { operation: "sum", scale: 1, gaps: "skipped" });
      b.emit("map", [sums, b.state("one", [1], 1)], rest, { expression: subtract(argument(0), argument(1)) });
      b.output("rest", rest);
    },
    minibatches: [{ layouts: { "*": layout }, inputs: { labels: graph, scores: logSoftmax } }],
    expected: [{ rest: Array(9).fill(0) }],
  },
  distance(
    "equal",
    [
      [0, 1, 2],
      [0, 1, 2],
    ],
    0,
  ),
  // One substitution in three labels: 1 · 3 / 3.
  distance(
    "one substitution",
    [
      [0, 1, 2],
      [0, 3, 2],
    ],
    1,
  ),
  // 0 1 1 2 against 0 1 2 2, squashed: 0 1 2 against 0 1 2.
  distance(
    "squashed",
    [
      [0, 1, 1, 2],
      [0, 1, 2, 2],
    ],
    0,
    { squashInputs: true },
  ),
  // 0 0 1 2 → 1 2 against 1 2 3 → 1 2 3: one insertion, four frames, two labels.
  distance(
    "ignored labels",
    [
      [0, 0, 1, 2],
      [0, 1, 2, 3],
    ],
    2,
    { ignored: [0] },
  ),
];
