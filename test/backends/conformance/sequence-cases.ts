import { add, argument, multiply, unary } from "../../../src/primitives/expression.js";
import type { AxisLayout } from "../../../src/minibatch/minibatch.js";
import { eighths, type PlanBuilder } from "../../support/plan-builder.js";
import { layoutOf, type SequenceCase } from "../../support/sequence-case.js";

/** Two rows, four steps: a sequence of 4; one of 2, one of 1 behind it, and a gap (column 7). */
const gappy = layoutOf(2, 4, [0, 0, 4], [1, 0, 2], [1, 2, 1]);
/** Longer, three rows, many gaps. */
const wide = layoutOf(3, 5, [0, 0, 5], [1, 0, 3], [2, 1, 2]);
const layouts = [gappy, wide, layoutOf(1, 1, [0, 0, 1])];

/** A minibatch for each layout with random x of `size` elements a frame. */
function minibatches(size: number, inputs: Readonly<Record<string, number>> = {}) {
  return layouts.map((layout, i) => ({
    layouts: { "*": layout },
    inputs: Object.fromEntries(
      Object.entries({ x: size, ...inputs }).map(([name, each], k) => [
        name,
        eighths(each * layout.rows * layout.steps, 10 * i + k),
      ]),
    ),
  }));
}

const ramp = { layouts: { "*": gappy }, inputs: { x: [1, 2, 3, 4, 5, 6, 7, 8] } };
const skipped = "skipped" as const;

const contractions: SequenceCase[] = [
  {
    name: "sums over the columns leave gaps out, unless they are counted",
    build: (b) => {
      const x = b.input("x", [1]);
      const outputs = { samples: skipped, columns: "counted" as const };
      for (const [name, gaps] of Object.entries(outputs)) {
        const sum = b.temporary([1], false);
        b.emit("reduce", [x], sum, { operation: "sum", scale: 1, gaps }).output(name, sum);
      }
    },
    minibatches: [ramp],
    expected: [{ samples: [28], columns: [36] }],
  },
  ...(["sum", "max", "min", "product", "logSum", "argmax", "argmin"] as const).flatMap(
    (operation): SequenceCase[] =>
      [
        [1, 1],
        [3, 1],
        [1, 2],
        [3, 2],
      ].map((dims) => ({
        name: `${operation} over samples to [${dims.join(" x ")}]`,
        build: (b) => {
          const result = b.temporary(dims, false);
          b.emit("reduce", [b.input("x", [3, 2])], result, { operation, scale: 0.5, gaps: skipped }).output(
            "y",
            result,
          );
        },
        minibatches: minibatches(6),
      })),
  ),
  {
    name: "a product that contracts the columns leaves gaps out",
    build: (b) => {
      const [a, c] = [b.input("x", [2]), b.input("g", [1])];
      const product = b.temporary([2, 1], false);
      b.emit("matmul", [matrixOf(a, 2), matrixOf(c, 1)], product, { transposeA: false, transposeB: true });
      b.output("y", product);
    },
    minibatches: [
      {
        layouts: { "*": gappy },
        inputs: { x: [1, 1, 1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7, 99, 99], g: Array(8).fill(1) },
      },
    ],
    expected: [{ y: [7, 28] }],
  },
  {
    name: "a product that contracts several columns each",
    build: (b) => {
      const product = b.temporary([3, 2], false);
      const reads = [b.input("x", [3, 4]), b.input("g", [2, 4])];
      b.emit("matmul", reads, product, { transposeA: false, transposeB: true }).output("y", product);
    },
    minibatches: minibatches(12, { g: 8 }),
  },
  {
    name: "a product of many rows that contracts the columns",
    build: (b) => {
      const product = b.temporary([27, 33], false);
      const reads = [b.input("x", [27, 1]), b.input("g", [33, 1])];
      b.emit("matmul", reads, product, { transposeA: false, transposeB: true }).output("y", product);
    },
    minibatches: minibatches(27, { g: 33 }),
  },
  ...(["samples", "columns", "sequences"] as const).map((what, i): SequenceCase => ({
    name: `count of ${what}`,
    build: (b) => {
      const result = b.temporary([1], false);
      b.emit("count", [b.input("x", [1])], result, { what }).output("y", result);
    },
    minibatches: [ramp],
    expected: [{ y: [[7, 8, 3][i]!] }],
  })),
];

function matrixOf<T extends { readonly dims: readonly number[] }>(operand: T, rows: number): T {
  return { ...operand, dims: [rows, 1] };
}

const movements: SequenceCase[] = [
  ...[
    [0, 1],
    [1, 2],
    [2, 0],
  ].map(([axis = 0, begin = 0]): SequenceCase => ({
    name: `slice and pad along axis ${axis + 1}`,
    build: (b) => {
      const dims = [3, 4, 2];
      const cut = dims.map((dim, i) => (i === axis ? dim - begin : dim));
      const [part, back] = [b.temporary(cut), b.temporary(dims)];
      b.emit("slice", [b.input("x", dims)], part, { axis, begin });
      b.emit("pad", [part], back, { axis, begin }).output("part", part).output("back", back);
    },
    minibatches: minibatches(24),
  })),
  {
    name: "a slice of a vector",
    build: (b) => {
      const part = b.temporary([2]);
      b.emit("slice", [b.input("x", [4])], part, { axis: 0, begin: 1 }).output("y", part);
    },
    minibatches: [{ layouts: { "*": layoutOf(1, 2, [0, 0, 2]) }, inputs: { x: [1, 2, 3, 4, 5, 6, 7, 8] } }],
    expected: [{ y: [2, 3, 6, 7] }],
  },
  ...[0, 1, 2].map((axis): SequenceCase => ({
    name: `concatenation along axis ${axis + 1} with stretching`,
    build: (b) => {
      const dims = (length: number) => [2, 3, 1].map((dim, i) => (i === axis ? length : dim));
      const stretched = [1, 1, 1].map((dim, i) => (i === axis ? 2 : dim));
      const result = b.temporary(dims(7));
      const reads = [b.input("x", dims(2)), b.state("w", dims(3)), b.input("g", stretched)];
      b.emit("concatenate", reads, result, { axis }).output("y", result);
    },
    states: { w: eighths(3 * [3, 2, 6][axis]!, 5) },
    minibatches: minibatches(2 * [3, 2, 6][axis]!, { g: 2 }),
  })),
  {
    name: "numbers from 0",
    build: (b) => {
      const result = b.temporary([2, 3], false);
      b.emit("iota", [], result, {}).output("y", result);
    },
    minibatches: [ramp].map(({ layouts: given }) => ({ layouts: given, inputs: {} })),
    expected: [{ y: [0, 1, 2, 3, 4, 5] }],
  },
  ...[1, -3, 11].map((steps): SequenceCase => ({
    name: `columns rotated by ${steps}`,
    build: (b) => {
      const result = b.temporary([2]);
      b.emit("rotateColumns", [b.input("x", [2])], result, { steps }).output("y", result);
    },
    minibatches: minibatches(2),
  })),
];

/** An axis opened by `where` on x > 0, with the values gathered there, and scattered back. */
function packing(b: PlanBuilder): void {
  const packed = b.axis("packed", "computed");
  const x = b.input("x", [1]);
  const g = b.input("g", [2]);
  const [index, columns] = [b.temporary([1], packed), b.temporary([1], packed)];
  const [gathered, back] = [b.temporary([2], packed), b.temporary([2])];
  b.emit("where", [x], index, { empty: "kept" });
  b.emit("packIndex", [index, x], columns, {});
  b.emit("gather", [columns, g], gathered, {});
  b.emit("scatter", [columns, gathered, g], back, {});
  b.output("index", index).output("columns", columns).output("gathered", gathered).output("back", back);
}

const packed: SequenceCase[] = [
  {
    name: "frames chosen, gathered and scattered back; axes that grow",
    build: packing,
    minibatches: [
      { layouts: { "*": layoutOf(1, 2, [0, 0, 2]) }, inputs: { x: [0, 1], g: [1, 2, 3, 4] } },
      {
        layouts: { "*": gappy },
        inputs: { x: [1, 0, 0, 1, 1, 1, 0, 1], g: Array.from({ length: 16 }, (_, i) => i) },
      },
      { layouts: { "*": gappy }, inputs: { x: Array(8).fill(0), g: Array(16).fill(1) } },
    ],
    expected: [
      { index: [1], columns: [1], gathered: [3, 4], back: [0, 0, 3, 4] },
      // Sequence 0: frames 0 and 2; sequence 1: frame 1; sequence 2, in row 1 behind it: frame 0.
      {
        index: [0, 1, 2, 0],
        columns: [0, 3, 4, 5],
        gathered: [0, 1, 6, 7, 8, 9, 10, 11],
        back: [0, 1, 0, 0, 0, 0, 6, 7, 8, 9, 10, 11, 0, 0],
      },
      { index: [], columns: [], gathered: [], back: Array(14).fill(0) },
    ],
  },
  {
    name: "flags of 2 repeat a frame, thirds add up",
    build: packing,
    minibatches: [
      {
        layouts: { "*": layoutOf(1, 7, [0, 0, 7]) },
        inputs: { x: [2, 0, 1 / 3, 1 / 3, 1 / 3, 1 / 3, 1], g: eighths(14, 1) },
      },
    ].map((minibatch) => minibatch),
  },
  {
    name: "columns of a matrix gathered by an index, negative ones give 0",
    build: (b) => {
      const result = b.temporary([2]);
      b.emit("gather", [b.input("x", [1]), b.state("w", [2, 3])], result, {}).output("y", result);
    },
    states: { w: [1, 2, 3, 4, 5, 6] },
    minibatches: [{ layouts: { "*": layoutOf(1, 4, [0, 0, 4]) }, inputs: { x: [2, -1, 0, 1] } }],
    expected: [{ y: [5, 6, 0, 0, 1, 2, 3, 4] }],
  },
  {
    name: "sums of sequences on an axis of their own, spread out again, reconciled and back",
    build: (b) => {
      const single = b.axis("single", "computed");
      const x = b.input("x", [1]);
      const [sums, spread, same] = [b.temporary([1], single), b.temporary([1]), b.temporary([1])];
      const gradient = b.temporary([1], single);
      b.emit("sumSequence", [x], sums, {});
      b.emit("spreadSequence", [sums, x], spread, {});
      b.emit("reconcile", [sums, x], same, { repeats: true });
      b.emit("reconcileGradient", [x, sums], gradient, {});
      b.output("sums", sums).output("spread", spread).output("same", same).output("gradient", gradient);
    },
    minibatches: [ramp],
    expected: [
      {
        sums: [16, 6, 6],
        spread: [16, 6, 16, 6, 16, 6, 16],
        same: [16, 6, 16, 6, 16, 6, 16],
        gradient: [16, 6, 6],
      },
    ],
  },
  {
    name: "reconciling equal layouts of two axes, and a value without axis",
    build: (b) => {
      const other = b.axis("other");
      const [x, y] = [b.input("x", [2]), b.input("g", [1], other)];
      const [same, repeated] = [b.temporary([2], other), b.temporary([2])];
      b.emit("reconcile", [x, y], same, { repeats: true }).output("same", same);
      b.emit("reconcile", [b.state("w", [2]), x], repeated, { repeats: true }).output("repeated", repeated);
    },
    states: { w: [1, 2] },
    minibatches: [
      { layouts: { "*": gappy, other: { ...gappy } }, inputs: { x: eighths(16, 3), g: eighths(8, 4) } },
    ],
  },
];

/** Truncated sequences: the first minibatch leaves row 0 and row 1 open, the second goes on and begins a new one in row 1. */
const truncated: readonly AxisLayout[] = [
  layoutOf(2, 3, [0, 0, 7], [1, 0, 4]),
  {
    rows: 2,
    steps: 3,
    sequences: [
      { sequence: 0, row: 0, begin: -3, length: 7 },
      { sequence: 1, row: 1, begin: -3, length: 4 },
      { sequence: 2, row: 1, begin: 1, length: 2 },
    ],
  },
  {
    rows: 2,
    steps: 3,
    sequences: [
      { sequence: 0, row: 0, begin: -6, length: 7 },
      { sequence: 1, row: 1, begin: 0, length: 3 },
    ],
  },
];
const truncatedMinibatches = (size: number) =>
  truncated.map((layout, i) => ({ layouts: { "*": layout }, inputs: { x: eighths(size * 6, i) } }));

const shifts: SequenceCase[] = [
  {
    name: "a delay by one",
    build: (b) => {
      const result = b.temporary([1]);
      const reads = [b.input("x", [1]), b.state("initial", [1], 0.5)];
      b.emit("shift", reads, result, { steps: 1, carries: false }).output("y", result);
    },
    minibatches: [ramp],
    expected: [{ y: [0.5, 0.5, 1, 2, 3, 0.5, 5] }],
  },
  {
    name: "reading ahead by one",
    build: (b) => {
      const result = b.temporary([1]);
      const reads = [b.input("x", [1]), b.state("initial", [1], 0.5)];
      b.emit("shift", reads, result, { steps: -1, carries: false }).output("y", result);
    },
    minibatches: [ramp],
    expected: [{ y: [3, 4, 5, 0.5, 7, 0.5, 0.5] }],
  },
  ...[1, 2, 3, -1, -2].flatMap((steps): SequenceCase[] =>
    [[3, 2], [1], [1, 2], [3]].map((dims) => ({
      name: `shift by ${steps}, boundary [${dims.join(" x ")}], and its gradient`,
      build: (b) => {
        const [x, initial] = [b.input("x", [3, 2]), b.state("initial", dims)];
        const [result, gradient] = [b.temporary([3, 2]), b.temporary([3, 2])];
        b.emit("shift", [x, initial], result, { steps, carries: false }).output("y", result);
        b.emit("shiftInitialGradient", [x, initial], gradient, { steps }).output("g", gradient);
      },
      states: {
        initial: eighths(
          dims.reduce((product, dim) => product * dim, 1),
          3,
        ),
      },
      minibatches: minibatches(6),
    })),
  ),
  {
    name: "the gradient of a boundary value stands where it was used",
    build: (b) => {
      const gradient = b.temporary([1]);
      const reads = [b.input("x", [1]), b.state("initial", [1])];
      b.emit("shiftInitialGradient", reads, gradient, { steps: 2 }).output("y", gradient);
    },
    minibatches: [ramp],
    expected: [{ y: [1, 2, 3, 4, 0, 6, 0] }],
  },
  ...[2, -2].flatMap((steps): SequenceCase[] =>
    [1, 3].map((length) => ({
      name: `shift by ${steps} whose boundary value is a sequence of ${length}, and its gradient`,
      build: (b) => {
        const axis = b.axis("initial");
        const [x, initial] = [b.input("x", [2]), b.input("i", [2], axis)];
        const [result, gradient] = [b.temporary([2]), b.temporary([2], axis)];
        b.emit("shift", [x, initial], result, { steps, carries: false }).output("y", result);
        b.emit("shiftInitialGradient", [x, initial], gradient, { steps }).output("g", gradient);
      },
      minibatches: [gappy, wide].map((layout, i) => {
        const places = layout.sequences.map(({ sequence }): [number, number, number] => [
          sequence,
          0,
          length,
        ]);
        const boundary = layoutOf(places.length, length, ...places);
        return {
          layouts: { "*": layout, initial: boundary },
          inputs: {
            x: eighths(2 * layout.rows * layout.steps, i),
            i: eighths(2 * places.length * length, i + 7),
          },
        };
      }),
    })),
  ),
  {
    name: "a delay that goes on from minibatch to minibatch",
    build: (b) => {
      const x = b.input("x", [1]);
      const result = b.temporary([1]);
      const reads = [x, b.state("initial", [1], 0.5), b.carry(x, 2)];
      b.emit("shift", reads, result, { steps: 2, carries: true }).output("y", result);
    },
    minibatches: truncated.slice(0, 2).map((layout, i) => ({
      layouts: { "*": layout },
      inputs: { x: [1, 2, 3, 4, 5, 6].map((x) => x + 10 * i) },
    })),
    // Row 0 reads frames 1 and 2 of the first minibatch (3 and 5), row 1 frame 1 (4), then begins anew.
    expected: [{ y: [0.5, 0.5, 0.5, 0.5, 1, 2] }, { y: [3, 4, 5, 0.5, 11, 0.5] }],
  },
];

/** h(t) = tanh(W·h(t−1) + x(t)), frame by frame; backward in time with a step of −1. */
function recurrence(b: PlanBuilder, steps: number, carries: boolean): void {
  const [x, w, initial] = [b.input("x", [3]), b.state("w", [3, 3]), b.state("initial", [1], 0.25)];
  const [before, product, h] = [b.temporary([3]), b.temporary([3]), b.temporary([3])];
  const kept = carries ? [b.carry(h, steps)] : [];
  b.loop(0, steps > 0 ? 1 : -1, () => {
    b.emit("shift", [h, initial, ...kept], before, { steps, carries });
    b.emit("matmul", [w, before], product, { transposeA: false, transposeB: false });
    b.emit("map", [product, x], h, { expression: unary("hyperbolicTangent", add(argument(0), argument(1))) });
  });
  const sum = b.temporary([3], false);
  b.emit("reduce", [h], sum, { operation: "sum", scale: 1, gaps: skipped });
  b.output("h", h).output("sum", sum);
}

const weights = eighths(9, 4).map((x) => x / 2);

/** The same recurrence written for one sequence at a time, over all its frames. */
function recurrent(frames: readonly (readonly number[])[], steps: number): number[][] {
  const hidden: number[][] = [];
  const order = frames.map((_, t) => t);
  for (const t of steps > 0 ? order : order.reverse()) {
    const before = hidden[t - steps] ?? [0.25, 0.25, 0.25];
    hidden[t] = [0, 1, 2].map((i) =>
      Math.tanh(before.reduce((sum, value, j) => sum + weights[i + 3 * j]! * value, 0) + frames[t]![i]!),
    );
  }
  return hidden;
}

/** What the recurrence gives for a layout of whole sequences. */
function recurrentOutputs(layout: AxisLayout, x: readonly number[], steps: number) {
  const columns = new Map<number, number[]>();
  for (const { row, begin, length } of layout.sequences) {
    const columnOf = (t: number) => (begin + t) * layout.rows + row;
    const frames = Array.from({ length }, (_, t) => x.slice(3 * columnOf(t), 3 * columnOf(t) + 3));
    recurrent(frames, steps).forEach((h, t) => columns.set(columnOf(t), h));
  }
  const ordered = [...columns].sort(([a], [b]) => a - b).map(([, h]) => h);
  return { h: ordered.flat(), sum: [0, 1, 2].map((i) => ordered.reduce((sum, h) => sum + h[i]!, 0)) };
}

const loops: SequenceCase[] = [
  ...[1, 2, -1, -2].map((steps): SequenceCase => ({
    name: `a recurrence with a delay of ${steps}`,
    build: (b) => recurrence(b, steps, false),
    states: { w: weights },
    minibatches: minibatches(3),
    expected: minibatches(3).map(({ layouts: given, inputs }) =>
      recurrentOutputs(given["*"], inputs["x"] ?? [], steps),
    ),
  })),
  {
    name: "a recurrence over truncated sequences is the one over whole ones",
    build: (b) => recurrence(b, 1, true),
    states: { w: weights },
    minibatches: truncatedMinibatches(3),
    expected: expectedTruncated(),
  },
  {
    name: "a loop that turns no value into another: a running sum and a product of two of its results",
    build: (b) => {
      const [x, zero] = [b.input("x", [2]), b.state("zero", [1])];
      const [before, total, square] = [b.temporary([2]), b.temporary([2]), b.temporary([2])];
      b.loop(0, 1, () => {
        b.emit("shift", [total, zero], before, { steps: 1, carries: false });
        b.emit("map", [before, x], total, { expression: add(argument(0), argument(1)) });
        b.emit("map", [total], square, { expression: multiply(argument(0), argument(0)) });
      });
      b.output("total", total).output("square", square);
    },
    minibatches: [...minibatches(2), ...minibatches(2).reverse()],
  },
];

/** Sequences joined over the minibatches, then cut again. */
function expectedTruncated() {
  const size = 3;
  const given = truncatedMinibatches(size);
  const columnsOf = (index: number) => given[index]!.inputs.x;
  const frame = (minibatch: number, step: number, row: number) => {
    const at = (step * 2 + row) * size;
    return columnsOf(minibatch).slice(at, at + size);
  };
  /** [minibatch, step] of every frame, by sequence. */
  const places: { row: number; frames: [number, number][] }[] = [
    {
      row: 0,
      frames: [
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 0],
        [1, 1],
        [1, 2],
        [2, 0],
      ],
    },
    {
      row: 1,
      frames: [
        [0, 0],
        [0, 1],
        [0, 2],
        [1, 0],
      ],
    },
    {
      row: 1,
      frames: [
        [1, 1],
        [1, 2],
      ],
    },
    {
      row: 1,
      frames: [
        [2, 0],
        [2, 1],
        [2, 2],
      ],
    },
  ];
  const cells: { minibatch: number; column: number; h: number[] }[] = places.flatMap(({ row, frames }) =>
    recurrent(
      frames.map(([minibatch, step]) => frame(minibatch, step, row)),
      1,
    ).map((h, t) => ({ minibatch: frames[t]![0], column: frames[t]![1] * 2 + row, h })),
  );
  return given.map((_, minibatch) => {
    const here = cells.filter((cell) => cell.minibatch === minibatch).sort((a, b) => a.column - b.column);
    return {
      h: here.flatMap(({ h }) => h),
      sum: [0, 1, 2].map((i) => here.reduce((sum, { h }) => sum + h[i]!, 0)),
    };
  });
}

export const sequenceCases: SequenceCase[] = [...contractions, ...movements, ...packed, ...shifts, ...loops];
