import { CntkError } from "../../diagnostics/diagnostic.js";
import { columnCount, visibleSteps } from "../../minibatch/layout.js";
import type { AxisLayout } from "../../minibatch/minibatch.js";
import { elementCount } from "../../network/network.js";
import type { Values } from "../../numerics/values.js";
import type { Operand } from "../../primitives/instruction.js";
import {
  axisOf,
  operandAt,
  type CarriedFrames,
  type KernelCompiler,
  type KernelRun,
} from "../host/kernel.js";
import { columnOfFrame, nowhere, perLayout, sequencesByNumber } from "./sequences.js";

/**
 * Frame t of the result is frame t − steps of x where that belongs to the same sequence. Elsewhere: what an earlier minibatch
 * left of a sequence that began there (`carries`), else the boundary value.
 * Source: Source/ComputationNetworkLib/RecurrentNodes.cpp.
 */
export const compileShift: KernelCompiler<"shift"> = ({ reads, writes, parameters }) => {
  const [x, initial] = [operandAt(reads, 0), operandAt(reads, 1)];
  const carried = reads[2];
  const { steps, carries } = parameters;
  const axis = axisOf(writes);
  const size = elementCount(writes.dims);
  const tableOf = perLayout((layout) => sourceTable(layout, steps, carries));
  const initialTableOf = perLayout((layout, of) => boundaryTable(layout, of, steps));
  const cells = stretchedCells(writes.dims, initial.dims);
  const initialSize = elementCount(initial.dims);
  return (run) => {
    const layout = run.layout(axis);
    const sources = tableOf(layout, layout);
    const target = run.view(writes);
    const [from, boundary] = [run.whole(x), run.whole(initial)];
    const boundaryColumns = initial.axis === null ? null : initialTableOf(layout, run.layout(initial.axis));
    const kept = carries && carried ? run.carried(carried) : undefined;
    const first = run.firstColumn(axis);
    for (let c = 0, columns = run.columns(axis); c < columns; c++) {
      const source = sources[first + c]!;
      if (source >= 0) copyColumn(from, source * size, target, c * size, size);
      else if (source === nowhere) {
        const column = boundaryColumns ? boundaryColumns[first + c]! : 0;
        const to = c * size;
        if (column === nowhere) target.fill(0, to, to + size);
        else for (let i = 0; i < size; i++) target[to + i] = boundary[column * initialSize + cells[i]!]!;
      } else {
        const values = keptFrames(kept, layout.rows);
        copyColumn(values.values, keptColumn(source, values) * size, target, c * size, size);
      }
    }
  };
};

/**
 * The gradient of the boundary value: where a tensor without dynamic axis was used, the gradient there and 0 elsewhere; for one
 * with an axis each gradient is added to the frame that was taken.
 */
export const compileShiftInitialGradient: KernelCompiler<"shiftInitialGradient"> = (instruction) => {
  const { reads, writes, parameters } = instruction;
  const [gradient, initial] = [operandAt(reads, 0), operandAt(reads, 1)];
  const { steps } = parameters;
  const size = elementCount(gradient.dims);
  const axis = axisOf(gradient);
  return initial.axis === null ? maskedGradient(gradient, writes, steps, size) : scatteredGradient();

  function scatteredGradient() {
    const initialSize = elementCount(writes.dims);
    const cells = stretchedCells(gradient.dims, writes.dims);
    const tableOf = perLayout((layout, of) => boundaryTable(layout, of, steps));
    const sourcesOf = perLayout((layout) => sourceTable(layout, steps, true));
    return (run: KernelRun) => {
      const layout = run.layout(axis);
      const columnsOf = tableOf(layout, run.layout(axisOf(initial)));
      const sources = sourcesOf(layout, layout);
      const from = run.view(gradient);
      const sums = new Float64Array(initialSize * run.columns(writes.axis));
      for (let c = 0; c < columnsOf.length; c++) {
        const column = columnsOf[c]!;
        if (column === nowhere || sources[c] !== nowhere) continue;
        for (let i = 0; i < size; i++) sums[column * initialSize + cells[i]!]! += from[c * size + i]!;
      }
      const target = run.view(writes);
      for (let i = 0; i < sums.length; i++) target[i] = sums[i]!;
    };
  }
};

function maskedGradient(gradient: Operand, writes: Operand, steps: number, size: number) {
  const axis = axisOf(gradient);
  const sourcesOf = perLayout((layout) => sourceTable(layout, steps, true));
  return (run: KernelRun) => {
    const layout = run.layout(axis);
    const sources = sourcesOf(layout, layout);
    const gaps = run.gaps(axis);
    const [from, target] = [run.view(gradient), run.view(writes)];
    for (let c = 0, columns = run.columns(axis); c < columns; c++) {
      const isBoundary = sources[c] === nowhere && (gaps === null || gaps[c] === 0);
      if (isBoundary) copyColumn(from, c * size, target, c * size, size);
      else target.fill(0, c * size, (c + 1) * size);
    }
  };
}

/**
 * Per column the column that a shift takes: of x (0 and more), `nowhere` for the boundary value, below that a column of the
 * minibatch before: −2 is the last one of that minibatch, −3 the one before it.
 */
function sourceTable(layout: AxisLayout, steps: number, carries: boolean): Int32Array {
  const { rows } = layout;
  const table = new Int32Array(columnCount(layout)).fill(nowhere);
  for (const placement of layout.sequences) {
    const { row, begin, length } = placement;
    const { first, end } = visibleSteps(layout, placement);
    for (let step = first; step < end; step++) {
      const source = step - steps;
      if (source < begin || source >= begin + length) continue;
      if (source >= 0 && source < layout.steps) table[step * rows + row] = source * rows + row;
      else if (carries && source < 0) table[step * rows + row] = source * rows + row - 1;
      else if (carries) throw beyondEnd();
    }
  }
  return table;
}

/** Per column the column of the boundary value's sequence that would stand in for a frame outside the sequence. */
function boundaryTable(layout: AxisLayout, of: AxisLayout, steps: number): Int32Array {
  const table = new Int32Array(columnCount(layout)).fill(nowhere);
  const span = Math.abs(steps);
  const placements = sequencesByNumber(of);
  for (const target of layout.sequences) {
    const source = placements.get(target.sequence);
    if (!source) continue;
    if (source.length !== 1 && source.length < span) {
      throw new CntkError({
        code: "initial-state-too-short",
        message: `operation requires second argument (initialState) sequences to be either of length 1 or at least as long as the timestep (${span}).`,
      });
    }
    const { first, end } = visibleSteps(layout, target);
    if (source.length === 1) {
      const column = columnOfFrame(of, source, 0);
      for (let step = first; step < end; step++) table[step * layout.rows + target.row] = column;
      continue;
    }
    for (let i = 0; i < span && i < target.length; i++) {
      const step = target.begin + (steps > 0 ? i : target.length - 1 - i);
      if (step < first || step >= end) continue;
      const frame = steps > 0 ? source.length - span + i : span - 1 - i;
      table[step * layout.rows + target.row] = columnOfFrame(of, source, frame);
    }
  }
  return table;
}

/** Per cell of a tensor the cell of a smaller one that is stretched to it. */
export function stretchedCells(dims: readonly number[], smaller: readonly number[]): Int32Array {
  const cells = new Int32Array(elementCount(dims));
  for (let i = 0; i < cells.length; i++) {
    let [rest, cell, step] = [i, 0, 1];
    dims.forEach((dim, axis) => {
      const size = smaller[axis] ?? 1;
      if (size !== 1) cell += (rest % dim) * step;
      rest = Math.floor(rest / dim);
      step *= size;
    });
    cells[i] = cell;
  }
  return cells;
}

function keptFrames(kept: CarriedFrames | undefined, rows: number): CarriedFrames {
  if (!kept) {
    throw new CntkError({
      code: "no-past-values",
      message:
        "The delay node tries to access past values that are out of bound, possibly because there is no sentence start marker in the MBLayout.",
    });
  }
  if (kept.rows !== rows) {
    throw new CntkError({
      code: "rows-changed",
      message: `A sequence goes on from the minibatch before, which had ${kept.rows} parallel sequences; this one has ${rows}.`,
    });
  }
  return kept;
}

/** The column among the kept frames that a source below `nowhere` means. */
function keptColumn(source: number, { rows, frames }: CarriedFrames): number {
  const column = frames * rows + source + 1;
  if (column < 0) {
    throw new CntkError({
      code: "no-past-values",
      message: `The minibatch before had ${frames} frames only, fewer than the delay reaches back.`,
    });
  }
  return column;
}

function beyondEnd(): CntkError {
  return new CntkError({
    code: "no-future-values",
    message:
      "The delay node tries to access future values that are out of bound, possibly because there is no sentence end marker in the MBLayout.",
  });
}

function copyColumn(from: Values, at: number, target: Values, to: number, size: number): void {
  for (let i = 0; i < size; i++) target[to + i] = from[at + i]!;
}
