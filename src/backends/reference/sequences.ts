import { CntkError } from "../../diagnostics/diagnostic.js";
import { layoutsEqual, packSequences } from "../../minibatch/layout.js";
import type { AxisLayout, SequencePlacement } from "../../minibatch/minibatch.js";
import { operandAt, axisOf, type KernelCompiler, type KernelRun } from "../host/kernel.js";
import { checkFrames, emptySequence, layoutsDiffer } from "../host/sequence-failures.js";
import { allColumns, cellAt, columnStart, countOf, numberAt, placesOf } from "./cells.js";

/** A frame of a sequence: the sequence, and the frame's number in it. */
interface Frame {
  readonly sequence: SequencePlacement;
  readonly number: number;
}

/** The frame that a column holds; null for a gap. */
function frameAt({ rows, sequences }: AxisLayout, column: number): Frame | null {
  const [row, step] = [column % rows, Math.floor(column / rows)];
  const sequence = sequences.find((s) => s.row === row && step >= s.begin && step < s.begin + s.length);
  return sequence ? { sequence, number: step - sequence.begin } : null;
}

/** The column of a sequence's frame; an error where the minibatch does not hold it. */
function columnOf(
  { rows, steps }: AxisLayout,
  { row, begin, length }: SequencePlacement,
  frame: number,
): number {
  const step = begin + frame;
  if (frame < 0 || frame >= length || step < 0 || step >= steps) {
    throw new CntkError({
      code: "frame-outside-minibatch",
      message: "GetColumnIndex: t out of sequence bounds.",
    });
  }
  return step * rows + row;
}

/** The sequence of the same number. */
function sameSequence(
  { sequences }: AxisLayout,
  { sequence }: SequencePlacement,
): SequencePlacement | undefined {
  return sequences.find((candidate) => candidate.sequence === sequence);
}

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new CntkError({ code: "sequence-missing", message: what });
  return value;
}

/** The frame of the boundary value's sequence that a shift by `steps` puts where a frame has no source. */
function boundaryFrame({ sequence, number }: Frame, initial: SequencePlacement, steps: number): number {
  if (initial.length === 1) return 0;
  if (initial.length < Math.abs(steps)) {
    throw new CntkError({ code: "initial-state-too-short", message: "the initial state has too few frames" });
  }
  // Frame 0 of a sequence delayed by k takes the k-th frame from the end; the last one read ahead by k, frame k−1.
  return steps > 0 ? initial.length - steps + number : number - steps - sequence.length;
}

export const shift: KernelCompiler<"shift"> = ({ reads, writes, parameters: { steps, carries } }) => {
  const [x, initial] = [operandAt(reads, 0), operandAt(reads, 1)];
  const carried = reads[2];
  const places = placesOf(writes.dims);
  const axis = axisOf(writes);
  return (run) => {
    const layout = run.layout(axis);
    const target = run.view(writes);
    /** The number at a place of a column that lies `run.firstColumn` into the axis. */
    const valueOf = (column: number): ((place: (typeof places)[number]) => number) => {
      const frame = frameAt(layout, column);
      const source = frame && frame.number - steps;
      if (frame && source !== null && source >= 0 && source < frame.sequence.length) {
        const step = frame.sequence.begin + source;
        if (step >= 0 && step < layout.steps) {
          const at = columnStart(x, step * layout.rows + frame.sequence.row);
          return (place) => numberAt(run.whole(x), at + cellAt(x.dims, place));
        }
        if (carries && step >= 0) {
          throw new CntkError({
            code: "no-future-values",
            message: "The delay node tries to access future values.",
          });
        }
        if (carries) {
          const kept = required(
            carried && run.carried(carried),
            "The delay node tries to access past values.",
          );
          const at = columnStart(x, (kept.frames + step) * kept.rows + frame.sequence.row);
          if (kept.rows !== layout.rows)
            throw new CntkError({ code: "rows-changed", message: "rows differ" });
          return (place) => numberAt(kept.values, at + cellAt(x.dims, place));
        }
      }
      if (initial.axis === null) return (place) => numberAt(run.whole(initial), cellAt(initial.dims, place));
      const of = run.layout(initial.axis);
      const sequence = frame && sameSequence(of, frame.sequence);
      if (!frame || !sequence) return () => 0;
      // A frame whose source lies before the minibatch, but is not carried over, has no boundary frame either.
      const number = boundaryFrame(frame, sequence, steps);
      if (number < 0 || number >= sequence.length) return () => 0;
      const at = columnStart(initial, columnOf(of, sequence, number));
      return (place) => numberAt(run.whole(initial), at + cellAt(initial.dims, place));
    };
    for (const column of allColumns(run, axis)) {
      const value = valueOf(run.firstColumn(axis) + column);
      places.forEach((place, cell) => (target[column * places.length + cell] = value(place)));
    }
  };
};

export const shiftInitialGradient: KernelCompiler<"shiftInitialGradient"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const { steps } = parameters;
  const [gradient, initial] = [operandAt(reads, 0), operandAt(reads, 1)];
  const places = placesOf(gradient.dims);
  return (run) => {
    const layout = run.layout(axisOf(gradient));
    const from = run.view(gradient);
    const sums = new Float64Array(countOf(writes.dims) * run.columns(writes.axis));
    for (const column of allColumns(run, gradient.axis)) {
      const frame = frameAt(layout, column);
      const source = frame && frame.number - steps;
      if (!frame || source === null || (source >= 0 && source < frame.sequence.length)) continue;
      let to = columnStart(writes, column);
      if (initial.axis !== null) {
        const of = run.layout(initial.axis);
        const sequence = sameSequence(of, frame.sequence);
        if (!sequence) continue;
        to = columnStart(writes, columnOf(of, sequence, boundaryFrame(frame, sequence, steps)));
      }
      places.forEach((place, cell) => {
        sums[to + cellAt(writes.dims, place)]! += from[column * places.length + cell]!;
      });
    }
    run.view(writes).set(sums);
  };
};

/** For each sequence: frame t as often as the running sum of the flags has grown by 1 there. */
export const where: KernelCompiler<"where"> = ({ reads, writes, parameters }, { elementType }) => {
  const flags = operandAt(reads, 0);
  const epsilon = elementType === "float" ? 2 ** -23 : 2 ** -52;
  return (run) => {
    const layout = run.layout(axisOf(flags));
    const values = run.view(flags);
    const chosen = layout.sequences.map((sequence) => {
      const frames: number[] = [];
      let sum = 0;
      for (let frame = 0; frame < sequence.length; frame++) {
        sum += numberAt(values, columnOf(layout, sequence, frame));
        checkFrames(sum, sequence.length);
        while (frames.length < sum * (1 - epsilon) || (frames.length === 0 && sum > 0)) frames.push(frame);
      }
      return frames;
    });
    if (parameters.empty === "refused" && chosen.some(({ length }) => length === 0)) throw emptySequence();
    const packed = packSequences(chosen.map(({ length }) => length));
    const sequences = layout.sequences.map((sequence, i) => ({
      ...packed.sequences[i]!,
      sequence: sequence.sequence,
    }));
    run.openAxis(axisOf(writes), { ...packed, sequences });
    const target = run.view(writes);
    target.fill(0, 0, run.columns(writes.axis));
    sequences.forEach((sequence, i) => {
      chosen[i]?.forEach((frame, t) => (target[columnOf(packed, sequence, t)] = frame));
    });
  };
};

export const packIndex: KernelCompiler<"packIndex"> = ({ reads, writes }) => {
  const [index, of] = [operandAt(reads, 0), operandAt(reads, 1)];
  return (run) => {
    const [layout, source] = [run.layout(axisOf(index)), run.layout(axisOf(of))];
    const target = run.view(writes);
    for (const column of allColumns(run, index.axis)) {
      const frame = frameAt(layout, column);
      if (!frame) target[column] = -1;
      else {
        const sequence = required(sameSequence(source, frame.sequence), "the sequence is missing");
        target[column] = columnOf(source, sequence, Math.floor(numberAt(run.view(index), column)));
      }
    }
  };
};

/** Calls `visit` with each column of an index and the column it names, where it names one. */
function eachIndex(
  run: KernelRun,
  index: ReturnType<typeof operandAt>,
  visit: (to: number, from: number) => void,
) {
  const gaps = run.gaps(index.axis);
  for (const column of allColumns(run, index.axis)) {
    const value = numberAt(run.view(index), column);
    if ((!gaps || gaps[column] === 0) && value >= 0) visit(column, Math.floor(value));
  }
}

export const gather: KernelCompiler<"gather"> = ({ reads, writes }) => {
  const [index, source] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(writes.dims);
  return (run) => {
    const target = run.view(writes);
    const available = (countOf(source.dims) / size) * run.columns(source.axis);
    target.fill(0, 0, size * run.columns(writes.axis));
    eachIndex(run, index, (to, from) => {
      if (from >= available)
        throw new CntkError({ code: "column-out-of-bounds", message: "Map out of bounds." });
      for (let i = 0; i < size; i++) target[to * size + i] = numberAt(run.view(source), from * size + i);
    });
  };
};

export const scatter: KernelCompiler<"scatter"> = ({ reads, writes }) => {
  const [index, source] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(source.dims);
  return (run) => {
    const sums = new Float64Array(countOf(writes.dims) * run.columns(writes.axis));
    eachIndex(run, index, (from, to) => {
      if ((to + 1) * size > sums.length) {
        throw new CntkError({ code: "column-out-of-bounds", message: "Map out of bounds." });
      }
      for (let i = 0; i < size; i++) sums[to * size + i]! += numberAt(run.view(source), from * size + i);
    });
    run.view(writes).set(sums);
  };
};

/** The column of x that belongs to a column of another layout; null: none. */
function reconciledColumn(
  run: KernelRun,
  x: ReturnType<typeof operandAt>,
  layout: AxisLayout,
  column: number,
  repeats = true,
): number | null {
  if (x.axis === null) return 0;
  const of = run.layout(x.axis);
  if (layoutsEqual(of, layout)) return column;
  if (!repeats) throw layoutsDiffer(layout, of);
  if (of.steps !== 1 || of.sequences.length !== layout.sequences.length) {
    throw new CntkError({ code: "layouts-incompatible", message: "the layouts are incompatible" });
  }
  const frame = frameAt(layout, column);
  return frame && columnOf(of, required(sameSequence(of, frame.sequence), "the sequence is missing"), 0);
}

export const reconcile: KernelCompiler<"reconcile"> = ({ reads, writes, parameters }) => {
  const [x, like] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(writes.dims);
  return (run) => {
    const layout = run.layout(axisOf(like));
    const target = run.view(writes);
    for (const column of allColumns(run, like.axis)) {
      const source = reconciledColumn(run, x, layout, column, parameters.repeats);
      for (let i = 0; i < size; i++) {
        target[column * size + i] = source === null ? 0 : numberAt(run.view(x), source * size + i);
      }
    }
  };
};

export const reconcileGradient: KernelCompiler<"reconcileGradient"> = ({ reads, writes }) => {
  const [gradient, x] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(writes.dims);
  return (run) => {
    const layout = run.layout(axisOf(gradient));
    const sums = new Float64Array(size * run.columns(writes.axis));
    for (const column of allColumns(run, gradient.axis)) {
      if (!frameAt(layout, column)) continue;
      const target = reconciledColumn(run, x, layout, column);
      if (target === null) continue;
      for (let i = 0; i < size; i++)
        sums[target * size + i]! += numberAt(run.view(gradient), column * size + i);
    }
    run.view(writes).set(sums);
  };
};

export const sumSequence: KernelCompiler<"sumSequence"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  const size = countOf(writes.dims);
  return (run) => {
    const layout = run.layout(axisOf(x));
    const sequences = layout.sequences.map(({ sequence }, row) => ({ sequence, row, begin: 0, length: 1 }));
    run.openAxis(axisOf(writes), { rows: sequences.length, steps: 1, sequences });
    const sums = new Float64Array(size * sequences.length);
    for (const column of allColumns(run, x.axis)) {
      const frame = frameAt(layout, column);
      if (!frame) continue;
      const row = layout.sequences.indexOf(frame.sequence);
      for (let i = 0; i < size; i++) sums[row * size + i]! += numberAt(run.view(x), column * size + i);
    }
    run.view(writes).set(sums);
  };
};

export const spreadSequence: KernelCompiler<"spreadSequence"> = ({ reads, writes }) => {
  const [x, like] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = countOf(writes.dims);
  return (run) => {
    const [of, layout] = [run.layout(axisOf(x)), run.layout(axisOf(like))];
    const target = run.view(writes);
    for (const column of allColumns(run, like.axis)) {
      const frame = frameAt(layout, column);
      const source =
        frame && columnOf(of, required(sameSequence(of, frame.sequence), "the sequence is missing"), 0);
      for (let i = 0; i < size; i++) {
        target[column * size + i] = source === null ? 0 : numberAt(run.view(x), source * size + i);
      }
    }
  };
};

export const rotateColumns: KernelCompiler<"rotateColumns"> = ({ reads, writes, parameters: { steps } }) => {
  const x = operandAt(reads, 0);
  const size = countOf(writes.dims);
  return (run) => {
    const columns = run.columns(writes.axis);
    const target = run.view(writes);
    for (let column = 0; column < columns; column++) {
      let source = (column + steps) % columns;
      if (source < 0) source += columns;
      for (let i = 0; i < size; i++) target[column * size + i] = numberAt(run.view(x), source * size + i);
    }
  };
};

export const count: KernelCompiler<"count"> = ({ reads, writes, parameters: { what } }) => {
  const x = operandAt(reads, 0);
  return (run) => {
    const layout = run.layout(axisOf(x));
    const columns = allColumns(run, x.axis);
    const counts = {
      samples: columns.filter((column) => frameAt(layout, column) !== null).length,
      columns: columns.length,
      sequences: layout.sequences.length,
    };
    run.view(writes)[0] = counts[what];
  };
};
