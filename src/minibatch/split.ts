import { CntkError } from "../diagnostics/diagnostic.js";
import type { AxisLayout, Minibatch, StreamData, StreamMinibatch } from "./minibatch.js";

/**
 * A minibatch in pieces of some of its parallel sequences each, as many as asked for or as there are rows.
 * @throws CntkError `minibatch-pieces` for streams whose sequences lie differently, which CNTK does not take apart either.
 * Source: SGDLib/DataReaderHelpers.h, DecimateMinibatch.
 */
export function splitMinibatch(minibatch: Minibatch, pieces: number): readonly Minibatch[] {
  const streams = [...minibatch.streams];
  const first = streams[0]?.[1].layout;
  const count = Math.min(pieces, first?.rows ?? 1);
  if (!first || count <= 1) return [minibatch];
  for (const [name, { layout }] of streams) {
    if (layout.rows === first.rows && layout.steps === first.steps) continue;
    throw inconsistent(name, layout, first);
  }
  return Array.from({ length: count }, (_, piece) => {
    const from = Math.floor((first.rows * piece) / count);
    const to = Math.floor((first.rows * (piece + 1)) / count);
    const layouts = new Map<AxisLayout, AxisLayout>();
    const layoutOf = (layout: AxisLayout): AxisLayout => {
      const known = layouts.get(layout) ?? rowsOfLayout(layout, from, to);
      layouts.set(layout, known);
      return known;
    };
    const taken = streams.map(([name, stream]): [string, StreamMinibatch] => [
      name,
      { ...stream, layout: layoutOf(stream.layout), data: rowsOfData(stream, from, to) },
    ]);
    return { ...minibatch, streams: new Map(taken), columns: (to - from) * first.steps };
  });
}

function rowsOfLayout({ steps, sequences }: AxisLayout, from: number, to: number): AxisLayout {
  return {
    rows: to - from,
    steps,
    sequences: sequences
      .filter(({ row }) => row >= from && row < to)
      .map((placement) => ({ ...placement, row: placement.row - from })),
  };
}

/** The columns of some rows; those of one step lie side by side. */
function rowsOfData({ dimension, layout, data }: StreamMinibatch, from: number, to: number): StreamData {
  const { rows, steps } = layout;
  const height = to - from;
  if (data.storage === "dense") {
    const values = data.values.slice(0, height * steps * dimension);
    for (let step = 0; step < steps; step++) {
      const begin = (step * rows + from) * dimension;
      values.set(data.values.subarray(begin, begin + height * dimension), step * height * dimension);
    }
    return { storage: "dense", values };
  }
  const columnStarts = new Int32Array(height * steps + 1);
  const parts: (readonly [begin: number, end: number])[] = [];
  let filled = 0;
  for (let step = 0; step < steps; step++) {
    const column = step * rows + from;
    const begin = data.columnStarts[column] ?? 0;
    for (let row = 0; row < height; row++) {
      columnStarts[step * height + row] = filled + (data.columnStarts[column + row] ?? 0) - begin;
    }
    const end = data.columnStarts[column + height] ?? begin;
    parts.push([begin, end]);
    filled += end - begin;
  }
  columnStarts[height * steps] = filled;
  const values = data.values.slice(0, filled);
  const places = new Int32Array(filled);
  let at = 0;
  for (const [begin, end] of parts) {
    values.set(data.values.subarray(begin, end), at);
    places.set(data.rows.subarray(begin, end), at);
    at += end - begin;
  }
  return { storage: "sparse", values, rows: places, columnStarts };
}

function inconsistent(name: string, layout: AxisLayout, first: AxisLayout): CntkError {
  const columns = ({ rows, steps }: AxisLayout): number => rows * steps;
  return new CntkError({
    code: "minibatch-pieces",
    message: `DecimateMinibatch: Inconsistent number of columns among inputs (found ${columns(first)} and ${columns(layout)}).`,
    label: name,
    hint: "numSubminibatches and maxSamplesInRAM take minibatches apart whose inputs all have the same sequences; here some have lengths of their own",
  });
}
