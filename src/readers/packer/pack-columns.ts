import { CntkError } from "../../diagnostics/diagnostic.js";
import {
  type AxisLayout,
  columnCount,
  hasGaps,
  type StreamData,
  type UnpackedColumns,
  visibleSteps,
} from "../../minibatch/index.js";
import { newValues, type ElementType, type Values } from "../../numerics/values.js";
import type { SequenceSource } from "../deserializer.js";

/** Shorter samples are copied number by number: a call for each would cost more than the copying. */
const shortSample = 24;

/** A minibatch of more numbers is packed at once: whether there is room for it shows where it is read. */
const mostUnpacked = 2 ** 24;

/**
 * The columns of a stream, dense: sequence `sources[placement.sequence]` goes where the layout places it, with the frames that
 * lie in this minibatch. Sparse sources are written out; of a row named twice the last value stands. They are packed when somebody
 * asks for them, and streams that nobody uses never are.
 * Source: Source/Readers/ReaderLib/SequencePacker.cpp, PackDenseStream.
 */
export function packDense(
  sources: readonly SequenceSource[],
  layout: AxisLayout,
  dimension: number,
  elementType: ElementType,
): StreamData {
  const length = dimension * columnCount(layout);
  const copyTo = (target: Values): void => copyColumns(sources, layout, dimension, target);
  const packed = (): Values => {
    const values = allocate(elementType, dimension, columnCount(layout));
    copyTo(values);
    return values;
  };
  if (length > mostUnpacked) return { storage: "dense", values: packed() };
  let known: Values | undefined;
  const data: StreamData = {
    storage: "dense",
    get values(): Values {
      return (known ??= packed());
    },
  };
  // Who copies a minibatch copies its numbers.
  const unpacked: UnpackedColumns = { length, copyTo };
  return Object.defineProperty(data, "unpacked", { value: unpacked, enumerable: false });
}

function copyColumns(
  sources: readonly SequenceSource[],
  layout: AxisLayout,
  dimension: number,
  target: Values,
): void {
  // What no sample covers is zero, and so is what a sparse one leaves out.
  const isCovered = !hasGaps(layout) && sources.every(({ block }) => block.storage === "dense");
  if (!isCovered) target.fill(0, 0, dimension * columnCount(layout));
  for (const placement of layout.sequences) {
    const source = sources[placement.sequence];
    if (source === undefined) continue;
    const { first, end } = visibleSteps(layout, placement);
    const sample = (source.block.sequenceStarts[source.index] ?? 0) + first - placement.begin;
    const column = first * layout.rows + placement.row;
    const copy = source.block.storage === "dense" ? copyDense : copySparse;
    copy(source, sample, end - first, target, column, layout.rows, dimension);
  }
}

/** Copies `count` samples from number `sample` on into every `stride`-th column from `column` on. */
function copyDense(
  { block: { values } }: SequenceSource,
  sample: number,
  count: number,
  result: Values,
  column: number,
  stride: number,
  dimension: number,
): void {
  let from = sample * dimension;
  let to = column * dimension;
  for (let i = 0; i < count; i++) {
    if (dimension < shortSample) {
      for (let k = 0; k < dimension; k++) result[to + k] = values[from + k] ?? 0;
    } else {
      result.set(values.subarray(from, from + dimension), to);
    }
    from += dimension;
    to += stride * dimension;
  }
}

function copySparse(
  { block }: SequenceSource,
  sample: number,
  count: number,
  result: Values,
  column: number,
  stride: number,
  dimension: number,
): void {
  for (let i = 0; i < count; i++) {
    const to = (column + i * stride) * dimension;
    const end = block.sampleStarts[sample + i + 1] ?? 0;
    for (let at = block.sampleStarts[sample + i] ?? 0; at < end; at++) {
      result[to + (block.rows[at] ?? 0)] = block.values[at] ?? 0;
    }
  }
}

/**
 * The columns of a sparse stream, gaps empty; entries keep the order of the file. All frames of all sequences lie in the
 * minibatch.
 * Source: Source/Readers/ReaderLib/SequencePacker.cpp, PackSparseStream.
 */
export function packSparse(
  sources: readonly SequenceSource[],
  layout: AxisLayout,
  elementType: ElementType,
): StreamData {
  const columns = columnCount(layout);
  const columnStarts = new Int32Array(columns + 1);
  let total = 0;
  for (const { sequence, row, begin, length } of layout.sequences) {
    const source = sources[sequence];
    if (source === undefined) continue;
    const { sampleStarts } = source.block;
    const sample = source.block.sequenceStarts[source.index] ?? 0;
    for (let t = 0; t < length; t++) {
      const entries = (sampleStarts[sample + t + 1] ?? 0) - (sampleStarts[sample + t] ?? 0);
      columnStarts[(begin + t) * layout.rows + row + 1] = entries;
      total += entries;
    }
  }
  if (total > 2 ** 31 - 1) {
    throw new CntkError({
      code: "minibatch-too-large",
      message: `Minibatch NNZ count (${total}) exceeds the maximum allowed value (${2 ** 31 - 1})`,
      hint: "a smaller minibatchSize",
    });
  }
  for (let column = 0; column < columns; column++) {
    columnStarts[column + 1] = (columnStarts[column + 1] ?? 0) + (columnStarts[column] ?? 0);
  }
  const values = allocate(elementType, 1, total);
  const rows = new Int32Array(total);
  for (const { sequence, row, begin, length } of layout.sequences) {
    const source = sources[sequence];
    if (source === undefined) continue;
    const { block } = source;
    const sample = block.sequenceStarts[source.index] ?? 0;
    for (let t = 0; t < length; t++) {
      let to = columnStarts[(begin + t) * layout.rows + row] ?? 0;
      const end = block.sampleStarts[sample + t + 1] ?? 0;
      for (let at = block.sampleStarts[sample + t] ?? 0; at < end; at++, to++) {
        values[to] = block.values[at] ?? 0;
        rows[to] = block.rows[at] ?? 0;
      }
    }
  }
  return { storage: "sparse", values, rows, columnStarts };
}

function allocate(elementType: ElementType, dimension: number, columns: number): Values {
  try {
    return newValues(elementType, dimension * columns);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new CntkError({
      code: "minibatch-too-large",
      message: `A minibatch of ${columns} columns of ${dimension} elements each does not fit into memory.`,
      hint: "a smaller minibatchSize, shorter sequences, or format = sparse",
    });
  }
}
