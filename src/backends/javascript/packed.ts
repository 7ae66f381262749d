import { CntkError } from "../../diagnostics/diagnostic.js";
import { layoutsEqual, packSequences, visibleSteps } from "../../minibatch/layout.js";
import type { AxisLayout } from "../../minibatch/minibatch.js";
import { elementCount } from "../../network/network.js";
import { axisOf, operandAt, type KernelCompiler } from "../host/kernel.js";
import { checkFrames, emptySequence, layoutsDiffer } from "../host/sequence-failures.js";
import { Scratch } from "./scratch.js";
import { columnOfFrame, nowhere, perLayout, sequenceOfColumn, sequencesByNumber } from "./sequences.js";

/*
 * Kinds that move whole columns between dynamic axes, or give an axis its layout.
 * Source: Source/ComputationNetworkLib/ReshapingNodes.cpp and .h.
 */

/** Machine epsilon of the element types (numeric_limits::epsilon). */
const epsilons = { float: 2 ** -23, double: 2 ** -52 };

/** For each sequence the numbers of the frames whose flags' running sum asks for one more frame. */
export const compileWhere: KernelCompiler<"where"> = ({ reads, writes, parameters }, { elementType }) => {
  const flags = operandAt(reads, 0);
  // Fractions such as 1/3 are not exact; a frame is due a rounding error early.
  const margin = 1 - epsilons[elementType];
  return (run) => {
    const layout = run.layout(axisOf(flags));
    const values = run.view(flags);
    const indices = layout.sequences.map((placement) => {
      const chosen: number[] = [];
      let wanted = 0;
      for (let frame = 0; frame < placement.length; frame++) {
        wanted += values[columnOfFrame(layout, placement, frame)]!;
        checkFrames(wanted, placement.length);
        while ((chosen.length === 0 && wanted > 0) || chosen.length < wanted * margin) chosen.push(frame);
      }
      return chosen;
    });
    if (parameters.empty === "refused" && indices.some(({ length }) => length === 0)) throw emptySequence();
    const packed = packSequences(indices.map(({ length }) => length));
    const opened: AxisLayout = {
      ...packed,
      sequences: packed.sequences.map((placement, i) => ({
        ...placement,
        sequence: layout.sequences[i]?.sequence ?? i,
      })),
    };
    run.openAxis(axisOf(writes), opened);
    const target = run.view(writes);
    target.fill(0, 0, run.columns(writes.axis));
    opened.sequences.forEach((placement, i) => {
      indices[i]!.forEach((frame, t) => {
        target[columnOfFrame(opened, placement, t)] = frame;
      });
    });
  };
};

/** Frame numbers within sequences → columns of the axis of `of`. */
export const compilePackIndex: KernelCompiler<"packIndex"> = ({ reads, writes }) => {
  const [index, of] = [operandAt(reads, 0), operandAt(reads, 1)];
  return (run) => {
    const layout = run.layout(axisOf(index));
    const source = run.layout(axisOf(of));
    const placements = sequencesByNumber(source);
    const [values, target] = [run.view(index), run.view(writes)];
    target.fill(nowhere, 0, run.columns(writes.axis));
    for (const placement of layout.sequences) {
      const { first, end } = visibleSteps(layout, placement);
      const matching = placements.get(placement.sequence);
      if (!matching) throw noMatch(placement.sequence);
      for (let step = first; step < end; step++) {
        const column = step * layout.rows + placement.row;
        target[column] = columnOfFrame(source, matching, Math.trunc(values[column]!));
      }
    }
  };
};

/** Column index[c] of source; 0 where there is none. */
export const compileGather: KernelCompiler<"gather"> = ({ reads, writes }) => {
  const [index, source] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(writes.dims);
  const fixedColumns = elementCount(source.dims) / size;
  return (run) => {
    const available = source.axis === null ? fixedColumns : run.columns(source.axis);
    const gaps = run.gaps(index.axis);
    const [places, from, target] = [run.view(index), run.view(source), run.view(writes)];
    for (let c = 0, columns = run.columns(index.axis); c < columns; c++) {
      const column = gaps && gaps[c] !== 0 ? nowhere : checkedColumn(places[c]!, available);
      const to = c * size;
      if (column === nowhere) target.fill(0, to, to + size);
      else for (let i = 0, at = column * size; i < size; i++) target[to + i] = from[at + i]!;
    }
  };
};

/** The adjoint of gather: columns of source added at column index[c] of the result. */
export const compileScatter: KernelCompiler<"scatter"> = ({ reads, writes }) => {
  const [index, source] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(source.dims);
  const scratch = new Scratch();
  return (run) => {
    const count = elementCount(writes.dims) * run.columns(writes.axis);
    const gaps = run.gaps(index.axis);
    const [places, from, target] = [run.view(index), run.view(source), run.view(writes)];
    const sums = scratch.ofSize(count);
    sums.fill(0, 0, count);
    for (let c = 0, columns = run.columns(index.axis); c < columns; c++) {
      if (gaps && gaps[c] !== 0) continue;
      const column = checkedColumn(places[c]!, count / size);
      if (column === nowhere) continue;
      for (let i = 0, to = column * size, at = c * size; i < size; i++) sums[to + i]! += from[at + i]!;
    }
    for (let i = 0; i < count; i++) target[i] = sums[i]!;
  };
};

/** x with the dynamic axis of `like`. */
export const compileReconcile: KernelCompiler<"reconcile"> = ({ reads, writes, parameters }) => {
  const [x, like] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(writes.dims);
  const tableOf = perLayout(parameters.repeats ? reconciledColumns : sameColumns);
  return (run) => {
    const layout = run.layout(axisOf(like));
    const table = x.axis === null ? null : tableOf(run.layout(x.axis), layout);
    const [from, target] = [run.view(x), run.view(writes)];
    for (let c = 0, columns = run.columns(like.axis); c < columns; c++) {
      const column = table ? table[c]! : 0;
      const to = c * size;
      if (column === nowhere) target.fill(0, to, to + size);
      else for (let i = 0, at = column * size; i < size; i++) target[to + i] = from[at + i]!;
    }
  };
};

/** The adjoint of reconcile: every column of the gradient added to the column of x that it came from. */
export const compileReconcileGradient: KernelCompiler<"reconcileGradient"> = ({ reads, writes }) => {
  const [gradient, x] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(writes.dims);
  const scratch = new Scratch();
  const tableOf = perLayout(reconciledColumns);
  return (run) => {
    const table = x.axis === null ? null : tableOf(run.layout(x.axis), run.layout(axisOf(gradient)));
    const count = size * run.columns(writes.axis);
    const gaps = run.gaps(gradient.axis);
    const [from, target] = [run.view(gradient), run.view(writes)];
    const sums = scratch.ofSize(count);
    sums.fill(0, 0, count);
    for (let c = 0, columns = run.columns(gradient.axis); c < columns; c++) {
      const column = table ? table[c]! : 0;
      if (column === nowhere || (gaps && gaps[c] !== 0)) continue;
      for (let i = 0, to = column * size, at = c * size; i < size; i++) sums[to + i]! += from[at + i]!;
    }
    for (let i = 0; i < count; i++) target[i] = sums[i]!;
  };
};

/** The columns of a layout, for data of an equal one. */
function sameColumns(layout: AxisLayout, like: AxisLayout): Int32Array {
  if (!layoutsEqual(layout, like)) throw layoutsDiffer(like, layout);
  return Int32Array.from({ length: like.rows * like.steps }, (_, c) => c);
}

/** Per column of `like` the column of x that goes there. */
function reconciledColumns(layout: AxisLayout, like: AxisLayout): Int32Array {
  if (layoutsEqual(layout, like)) return sameColumns(layout, like);
  if (layout.steps !== 1 || layout.sequences.length !== like.sequences.length) {
    throw new CntkError({
      code: "layouts-incompatible",
      message:
        "ReconcileDynamicAxis operation discovered that its data input has an MB layout that is incompatible with that of its layout input.",
      hint: "it spreads a sequence of one frame over a longer one: of others take BS.Sequences.Last or First first",
    });
  }
  return singleFrameColumns(layout, like);
}

/** Per column of `like` the column of the only frame that its sequence has in `layout`. */
function singleFrameColumns(layout: AxisLayout, like: AxisLayout): Int32Array {
  const placements = sequencesByNumber(layout);
  const columns = like.sequences.map(({ sequence }) => {
    const placement = placements.get(sequence);
    if (!placement) throw noMatch(sequence);
    return columnOfFrame(layout, placement, 0);
  });
  return sequenceOfColumn(like).map((index) => (index === nowhere ? nowhere : columns[index]!));
}

/** One frame per sequence: the sum of its frames. */
export const compileSumSequence: KernelCompiler<"sumSequence"> = ({ reads, writes }) => {
  const x = operandAt(reads, 0);
  const size = elementCount(writes.dims);
  const scratch = new Scratch();
  return (run) => {
    const layout = run.layout(axisOf(x));
    run.openAxis(axisOf(writes), singleFrames(layout));
    const [from, target] = [run.view(x), run.view(writes)];
    layout.sequences.forEach((placement, row) => {
      const { first, end } = visibleSteps(layout, placement);
      const sums = scratch.ofSize(size).fill(0, 0, size);
      for (let step = first; step < end; step++) {
        const at = (step * layout.rows + placement.row) * size;
        for (let i = 0; i < size; i++) sums[i]! += from[at + i]!;
      }
      for (let i = 0; i < size; i++) target[row * size + i] = sums[i]!;
    });
  };
};

/** A layout of one step, in which every sequence of another layout has a row and one frame. */
function singleFrames({ sequences }: AxisLayout): AxisLayout {
  return {
    rows: sequences.length,
    steps: 1,
    sequences: sequences.map(({ sequence }, row) => ({ sequence, row, begin: 0, length: 1 })),
  };
}

/** The single frame of each sequence, for all its frames. */
export const compileSpreadSequence: KernelCompiler<"spreadSequence"> = ({ reads, writes }) => {
  const [x, like] = [operandAt(reads, 0), operandAt(reads, 1)];
  const size = elementCount(writes.dims);
  const tableOf = perLayout(singleFrameColumns);
  return (run) => {
    const table = tableOf(run.layout(axisOf(x)), run.layout(axisOf(like)));
    const [from, target] = [run.view(x), run.view(writes)];
    for (let c = 0; c < table.length; c++) {
      const column = table[c]!;
      for (let i = 0; i < size; i++) target[c * size + i] = column === nowhere ? 0 : from[column * size + i]!;
    }
  };
};

/** Column c of the result is column (c + steps) mod columns of x. */
export const compileRotateColumns: KernelCompiler<"rotateColumns"> = ({ reads, writes, parameters }) => {
  const x = operandAt(reads, 0);
  const size = elementCount(writes.dims);
  return (run) => {
    const columns = run.columns(writes.axis);
    const [from, target] = [run.view(x), run.view(writes)];
    for (let c = 0; c < columns; c++) {
      const at = ((((c + parameters.steps) % columns) + columns) % columns) * size;
      for (let i = 0; i < size; i++) target[c * size + i] = from[at + i]!;
    }
  };
};

/** Samples, columns or sequences of an axis. */
export const compileCount: KernelCompiler<"count"> = ({ reads, writes, parameters }) => {
  const x = operandAt(reads, 0);
  return (run) => {
    const layout = run.layout(axisOf(x));
    const gaps = run.gaps(x.axis);
    let count = parameters.what === "sequences" ? layout.sequences.length : run.columns(x.axis);
    if (parameters.what === "samples" && gaps) for (const gap of gaps) count -= gap;
    run.view(writes)[0] = count;
  };
};

/** A column number from an index value: negative or no number means none. */
function checkedColumn(index: number, available: number): number {
  if (!(index >= 0)) return nowhere;
  const column = Math.trunc(index);
  if (column < available) return column;
  throw new CntkError({
    code: "column-out-of-bounds",
    message: `DoGatherColumnsOf: Map out of bounds. ${column} >= ${available}`,
  });
}

function noMatch(sequence: number): CntkError {
  return new CntkError({
    code: "sequence-missing",
    message: `FindSequence: Requested sequence (id ${sequence}) not found.`,
  });
}
