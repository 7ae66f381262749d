import { CntkError } from "../diagnostics/diagnostic.js";
import { columnCount } from "./layout.js";
import type { AxisLayout, Minibatch, StreamData, StreamMinibatch } from "./minibatch.js";

/**
 * The part of a minibatch that one of several processes takes when all of them read the same: its share of the parallel
 * sequences, which may be none.
 * @throws CntkError `minibatch-shares` for streams that lie differently.
 * Source: Source/SGDLib/DataReaderHelpers.h, DecimateMinibatch.
 */
export function shareOfMinibatch(
  minibatch: Minibatch,
  rank: number,
  workers: number,
  hint = "distributedMBReading = true lets every process read its own part",
): Minibatch {
  if (workers === 1) return minibatch;
  const [first] = minibatch.streams.values();
  const streams = new Map<string, StreamMinibatch>();
  for (const [name, stream] of minibatch.streams) {
    if (first && columnCount(stream.layout) !== columnCount(first.layout)) {
      throw new CntkError({
        code: "minibatch-shares",
        message:
          "DecimateMinibatch: Inconsistent number of columns among inputs " +
          `(found ${columnCount(first.layout)} and ${columnCount(stream.layout)}).`,
        hint,
      });
    }
    streams.set(name, shareOfStream(stream, rank, workers));
  }
  const columns = Math.max(0, ...[...streams.values()].map(({ layout }) => columnCount(layout)));
  return minibatch.keys ? { streams, columns, keys: minibatch.keys } : { streams, columns };
}

function shareOfStream(stream: StreamMinibatch, rank: number, workers: number): StreamMinibatch {
  const { layout, dimension, data } = stream;
  const begin = Math.floor((layout.rows * rank) / workers);
  const end = Math.floor((layout.rows * (rank + 1)) / workers);
  const share: AxisLayout = {
    rows: end - begin,
    steps: layout.steps,
    sequences: layout.sequences
      .filter(({ row }) => row >= begin && row < end)
      .map((placement) => ({ ...placement, row: placement.row - begin })),
  };
  const kept = Array.from({ length: columnCount(share) }, (_, column) => {
    const step = Math.floor(column / share.rows);
    return step * layout.rows + begin + (column - step * share.rows);
  });
  return { dimension, layout: share, data: columnsOfData(data, dimension, kept) };
}

function columnsOfData(data: StreamData, dimension: number, columns: readonly number[]): StreamData {
  if (data.storage === "dense") {
    const values = data.values.slice(0, columns.length * dimension);
    columns.forEach((column, at) => {
      values.set(data.values.subarray(column * dimension, (column + 1) * dimension), at * dimension);
    });
    return { storage: "dense", values };
  }
  const columnStarts = new Int32Array(columns.length + 1);
  columns.forEach((column, at) => {
    const entries = (data.columnStarts[column + 1] ?? 0) - (data.columnStarts[column] ?? 0);
    columnStarts[at + 1] = (columnStarts[at] ?? 0) + entries;
  });
  const total = columnStarts[columns.length] ?? 0;
  const values = data.values.slice(0, total);
  const rows = new Int32Array(total);
  columns.forEach((column, at) => {
    const from = data.columnStarts[column] ?? 0;
    const to = data.columnStarts[column + 1] ?? 0;
    values.set(data.values.subarray(from, to), columnStarts[at] ?? 0);
    rows.set(data.rows.subarray(from, to), columnStarts[at] ?? 0);
  });
  return { storage: "sparse", values, rows, columnStarts };
}
