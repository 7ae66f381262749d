import type { MinibatchValues, Values } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, NodeFacts } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import type { Minibatch, Reader, StreamMinibatch } from "../readers/reader.js";
import { didYouMean } from "../diagnostics/suggest.js";

/**
 * Checks that a reader offers every input of a network with the right dimension.
 * @throws CntkError naming the input and what the reader has (Readers/ReaderLib/ReaderShim.cpp).
 */
export function checkStreams(
  inputs: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
  reader: Reader,
): void {
  for (const input of inputs) {
    const stream = reader.streams.find((candidate) => candidate.name === input.name);
    const names = reader.streams.map((candidate) => candidate.name);
    if (!stream) {
      throw new CntkError({
        code: "input-missing",
        message: `Could not map input '${input.name}' to the reader. Reader outputs only [${names.map((name) => `"${name}"`).join(", ")}].`,
        span: input.origin,
        calls: (input.calls ?? []).map((span) => ({ span, label: "in the call" })),
        hint: didYouMean(input.name, names),
      });
    }
    const elements = elementCount(facts.get(input)?.shape ?? []);
    if (stream.dimension !== elements) {
      throw new CntkError({
        code: "input-dimension",
        message: `Input '${input.name}' has ${elements} elements per sample in the network, but the reader's stream has dim = ${stream.dimension}.`,
        span: input.origin,
        calls: (input.calls ?? []).map((span) => ({ span, label: "in the call" })),
        label: `${elements} elements`,
      });
    }
  }
}

/** Columns of a layout that hold samples; undefined when there are no gaps. */
function filledColumns(stream: StreamMinibatch): Int32Array | undefined {
  const { rows, steps, sequences } = stream.layout;
  const total = sequences.reduce((sum, sequence) => sum + sequence.length, 0);
  if (total === rows * steps) return undefined;
  const filled = new Uint8Array(rows * steps);
  for (const { row, begin, length } of sequences) {
    for (let time = begin; time < begin + length; time++) filled[time * rows + row] = 1;
  }
  return Int32Array.from(filled.keys()).filter((column) => filled[column]);
}

/**
 * Turns a reader's minibatch into what a backend takes: dense columns, gaps left out (no node of this version looks
 * across samples, so a gap contributes nothing and need not be computed). Sparse streams are written out densely.
 */
export function feed(
  minibatch: Minibatch,
  inputs: readonly NetworkNode[],
  elementType: ElementType,
): MinibatchValues {
  const values = new Map<string, Values>();
  let samples = 0;
  for (const input of inputs) {
    const stream = minibatch.streams.get(input.name);
    if (!stream) throw new Error(`the reader delivered no stream ${input.name}`);
    const columns = stream.layout.rows * stream.layout.steps;
    const kept = filledColumns(stream);
    const count = kept ? kept.length : columns;
    if (samples && count !== samples) {
      throw new CntkError({
        code: "layouts-differ",
        message: `Input '${input.name}' has ${count} samples in this minibatch where another input has ${samples}: they cannot share a dynamic axis.`,
      });
    }
    samples = count;
    values.set(input.name, denseColumns(stream, columns, kept, elementType));
  }
  return { samples, inputs: values };
}

function denseColumns(
  stream: StreamMinibatch,
  columns: number,
  kept: Int32Array | undefined,
  elementType: ElementType,
): Values {
  const dense = stream.dense ?? expandSparse(stream, columns, elementType);
  if (!kept) return dense;
  const dimension = dense.length / columns;
  const packed =
    elementType === "float"
      ? new Float32Array(kept.length * dimension)
      : new Float64Array(kept.length * dimension);
  kept.forEach((column, index) => {
    packed.set(dense.subarray(column * dimension, (column + 1) * dimension), index * dimension);
  });
  return packed;
}

function expandSparse(stream: StreamMinibatch, columns: number, elementType: ElementType): Values {
  const { sparse, dimension } = stream;
  if (!sparse) throw new Error("a stream is either dense or sparse");
  const dense =
    elementType === "float" ? new Float32Array(columns * dimension) : new Float64Array(columns * dimension);
  for (let column = 0; column < columns; column++) {
    for (let at = sparse.offsets[column] ?? 0; at < (sparse.offsets[column + 1] ?? 0); at++) {
      const index = column * dimension + (sparse.rows[at] ?? 0);
      dense[index] = (dense[index] ?? 0) + (sparse.values[at] ?? 0);
    }
  }
  return dense;
}

/** Real samples of a minibatch, gaps not counted. */
export function realSamples(minibatch: Minibatch): number {
  let most = 0;
  for (const { layout } of minibatch.streams.values()) {
    most = Math.max(
      most,
      layout.sequences.reduce((sum, sequence) => sum + sequence.length, 0),
    );
  }
  return most;
}
