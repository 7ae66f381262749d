import { writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import * as ort from "onnxruntime-web";
import type { ModelSession } from "../../src/actions/model-session.js";
import { elementCount } from "../../src/network/network.js";
import { nodeFiles } from "../../src/node/index.js";
import { difference, samplesFor } from "./exported-networks.js";

/** The bytes of an ONNX model, ready to run. */
export function openOnnx(bytes: Uint8Array): Promise<ort.InferenceSession> {
  ort.env.wasm.numThreads = 1;
  return ort.InferenceSession.create(bytes, { executionProviders: ["wasm"], logSeverityLevel: 3 });
}

/** Lengths of sequences, and their number (or of samples, where there are no sequences), that are tried. */
const sizes = { lengths: [1, 5, 30], counts: [1, 7] };

export interface Comparison {
  readonly output: string;
  /** Of every sequence; undefined where there are none. */
  readonly length: number | undefined;
  readonly count: number;
  /** The largest difference relative to the largest value. */
  readonly difference: number;
}

/**
 * Runs a model here and in onnxruntime: 1 and 7 samples, or sequences of 1, 5 and 30 frames where the exported model has an axis
 * for them. `scratch` is a file for data.
 */
export async function compareWithOnnx(
  model: ModelSession,
  onnx: ort.InferenceSession,
  scratch: string,
): Promise<Comparison[]> {
  const outputs = onnx.outputNames;
  const comparisons: Comparison[] = [];
  const isRecurrent = leadingAxes(model, onnx) === 2;
  for (const length of isRecurrent ? sizes.lengths : [undefined]) {
    for (const count of sizes.counts) {
      const samples = samplesFor(model, outputs, count * (length ?? 1));
      const expected = await valuesHere(model, outputs, samples, length, count, scratch);
      const feeds = [...samples].map(([name, { values, dims }]): [string, ort.Tensor] => {
        const data = Float32Array.from(framesFirst(values, length, count));
        const leading = length === undefined ? [count] : [length, count];
        return [name, new ort.Tensor("float32", data, [...leading, ...dims])];
      });
      const results = await onnx.run(Object.fromEntries(feeds));
      outputs.forEach((output, index) => {
        const found = results[output]!.data as Float32Array;
        const wanted = expected[index]!;
        comparisons.push({ output, length, count, difference: difference(wanted, found) });
      });
    }
  }
  return comparisons;
}

/** What is beyond the tolerance that exports are held to. */
export const tooFar = (comparisons: readonly Comparison[]): Comparison[] =>
  comparisons.filter(({ difference }) => !(difference < 1e-5));

function leadingAxes(model: ModelSession, onnx: ort.InferenceSession): number {
  const [first] = onnx.inputMetadata;
  if (!first?.isTensor) throw new Error("no input");
  return first.shape.length - model.shaped.facts.get(model.node(first.name))!.shape.length;
}

async function valuesHere(
  model: ModelSession,
  outputs: readonly string[],
  samples: ReturnType<typeof samplesFor>,
  length: number | undefined,
  count: number,
  scratch: string,
): Promise<Float64Array[]> {
  const given = Object.fromEntries([...samples].map(([name, { values }]) => [name, values]));
  if (length !== undefined) writeFileSync(scratch, sequencesAsText(samples, length, count));
  const evaluated =
    length === undefined
      ? await model.evaluate(outputs, given, count)
      : await model.evaluateFile(outputs, nodeFiles(dirname(scratch)), basename(scratch));
  return evaluated.map(({ samples }) => {
    const values = Float64Array.from(samples.flatMap((sample) => [...sample]));
    // Some have other lengths than the data, or no time: there is one for all, or one for each sequence.
    const frames = length === undefined ? undefined : Math.max(samples.length / count, 1);
    return samples.length < count ? values : framesFirst(values, frames, count);
  });
}

function sequencesAsText(samples: ReturnType<typeof samplesFor>, length: number, count: number): string {
  return Array.from({ length: length * count }, (_, frame) => {
    const streams = [...samples].map(([name, { values, dims }]) => {
      const size = elementCount(dims);
      return `|${name} ${values.slice(frame * size, (frame + 1) * size).join(" ")}`;
    });
    return `${Math.floor(frame / length)} ${streams.join(" ")}\n`;
  }).join("");
}

/** Values of sequences one after the other as [T, N, …]. */
function framesFirst(values: Float64Array, length: number | undefined, count: number): Float64Array {
  if (length === undefined) return values;
  const size = values.length / (length * count);
  const result = new Float64Array(values.length);
  for (let sequence = 0; sequence < count; sequence++)
    for (let frame = 0; frame < length; frame++) {
      const from = (sequence * length + frame) * size;
      result.set(values.subarray(from, from + size), (frame * count + sequence) * size);
    }
  return result;
}
