import type { MinibatchValues } from "../backends/backend.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, NodeFacts } from "../network/network.js";
import { elementCount } from "../network/network.js";
import {
  denseValues,
  gapMask,
  type Minibatch,
  realSamples,
  sampleCount,
  type StreamMinibatch,
} from "../minibatch/index.js";
import { type ElementType, newValues, type Values } from "../numerics/values.js";
import type { Reader } from "../readers/reader.js";

export { realSamples };
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
    const count = sampleCount(stream.layout);
    if (samples && count !== samples) {
      throw new CntkError({
        code: "layouts-differ",
        message: `Input '${input.name}' has ${count} samples in this minibatch where another input has ${samples}: they cannot share a dynamic axis.`,
      });
    }
    samples = count;
    values.set(input.name, withoutGaps(stream, count, elementType));
  }
  return { samples, inputs: values };
}

function withoutGaps(stream: StreamMinibatch, samples: number, elementType: ElementType): Values {
  const { dimension, layout } = stream;
  const dense = denseValues(stream.data, dimension);
  const gaps = gapMask(layout);
  if (!gaps) return dense;
  const packed = newValues(elementType, samples * dimension);
  let next = 0;
  gaps.forEach((gap, column) => {
    if (gap) return;
    packed.set(dense.subarray(column * dimension, (column + 1) * dimension), next * dimension);
    next++;
  });
  return packed;
}
