import { CntkError } from "../diagnostics/diagnostic.js";
import { didYouMean } from "../diagnostics/suggest.js";
import { denseValues } from "./data.js";
import { layoutsEqual, sampleCount } from "./layout.js";
import type { AxisLayout, FedMinibatch, Minibatch, StreamData } from "./minibatch.js";

/** An input of a network, as the feed needs to know it. */
export interface FedInput {
  readonly name: string;
  /** Name of its dynamic axis. */
  readonly axisName: string;
  /** Elements of one sample. */
  readonly dimension: number;
  /** How the network holds it; a stream's data comes as it is where nothing is said. */
  readonly storage?: "dense" | "sparse";
}

/**
 * The data of a minibatch as a backend takes it: every input's stream, gaps and all, and the layout of every dynamic axis.
 * A sparse stream stays sparse unless the input is dense.
 * @throws CntkError `input-missing`, `input-dimension`, `input-storage` for a stream that does not fit its input;
 * `layouts-differ` for two inputs with one axis and different layouts (Source/Readers/ReaderLib/ReaderShim.cpp).
 */
export function feed(minibatch: Minibatch, inputs: readonly FedInput[]): FedMinibatch {
  const layouts = new Map<string, AxisLayout>();
  const firstInputs = new Map<string, string>();
  const data = new Map<string, StreamData>();
  for (const input of inputs) {
    const stream = minibatch.streams.get(input.name);
    if (stream === undefined) throw missingStream(input.name, [...minibatch.streams.keys()]);
    if (stream.dimension !== input.dimension) {
      throw new CntkError({
        code: "input-dimension",
        message: `Input '${input.name}' has ${input.dimension} elements per sample in the network, but the reader's stream has dim = ${stream.dimension}.`,
      });
    }
    data.set(input.name, dataFor(input, stream.data));
    const layout = layouts.get(input.axisName);
    if (layout === undefined) {
      layouts.set(input.axisName, stream.layout);
      firstInputs.set(input.axisName, input.name);
    } else if (!layoutsEqual(layout, stream.layout)) {
      const first = firstInputs.get(input.axisName) ?? "";
      throw new CntkError({
        code: "layouts-differ",
        message:
          `Dynamic axis layout '${input.axisName}' is shared between inputs '${first}' and ` +
          `'${input.name}', but layouts generated from the input data are incompatible on this axis. ` +
          "Are you using different sequence lengths? Did you consider adding a DynamicAxis() to the Input nodes?",
        node: input.name,
        hint: lengthsApart([first, layout], [input.name, stream.layout]),
      });
    }
  }
  return { layouts, inputs: data };
}

/** The first sequence that is longer in one of two streams, and the way out. */
function lengthsApart(...streams: readonly (readonly [string, AxisLayout])[]): string {
  const lengths = streams.map(
    ([, { sequences }]) => new Map(sequences.map((one) => [one.sequence, one.length])),
  );
  const ids = new Set(lengths.flatMap((lengthOf) => [...lengthOf.keys()]));
  const cure =
    "an input whose sequences have lengths of their own gets its own axis: t = DynamicAxis () ; x = Input {…, dynamicAxis = t}";
  for (const id of ids) {
    const counts = lengths.map((lengthOf) => lengthOf.get(id) ?? 0);
    if (new Set(counts).size === 1) continue;
    const facts = streams.map(([name], index) => `${counts[index]} of '${name}'`).join(" and ");
    return `sequence ${id + 1} of the minibatch has ${facts}; ${cure}`;
  }
  return cure;
}

/** Real samples of a minibatch's longest stream, gaps not counted. */
export function realSamples(minibatch: Minibatch): number {
  let most = 0;
  for (const { layout } of minibatch.streams.values()) most = Math.max(most, sampleCount(layout));
  return most;
}

/** CNTK's error for an input that no stream of the reader feeds. */
export function missingStream(input: string, streams: readonly string[]): CntkError {
  return new CntkError({
    code: "input-missing",
    message: `Could not map input '${input}' to the reader. Reader outputs only [${streams.map((name) => `"${name}"`).join(", ")}].`,
    hint: didYouMean(input, streams),
  });
}

function dataFor(input: FedInput, data: StreamData): StreamData {
  if (input.storage === undefined || input.storage === data.storage) return data;
  if (input.storage === "dense") return { storage: "dense", values: denseValues(data, input.dimension) };
  const sentence =
    "Inside File: Source/Math/Matrix.cpp  Line: 1383  Function: SetValue  -> Feature Not Implemented.";
  throw new CntkError({
    code: "input-storage",
    node: input.name,
    message: `Input '${input.name}' is sparse in the network, but the reader delivers it densely. ${sentence}`,
    logged: sentence,
    hint: "format = sparse in the reader's section of this input (a truncated reader always delivers densely), or Input instead of SparseInput",
  });
}
