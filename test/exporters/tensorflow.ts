import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type * as TensorFlow from "@tensorflow/tfjs-core";
import type { Tensor } from "@tensorflow/tfjs-core";

/* TensorFlow.js as a program that was given an exported model would load it. */

const require = createRequire(import.meta.url);

function pathOf(name: string): string | undefined {
  try {
    return dirname(require.resolve(`@tensorflow/${name}/package.json`));
  } catch {
    return undefined;
  }
}

/** The bundles that a page loads, in order; undefined where the loader of graph models is not installed. */
const converter = pathOf("tfjs-converter");
export const bundles =
  converter === undefined
    ? undefined
    : [
        join(pathOf("tfjs-core") ?? "", "dist/tf-core.min.js"),
        join(pathOf("tfjs-backend-cpu") ?? "", "dist/tf-backend-cpu.min.js"),
        join(converter, "dist/tf-converter.min.js"),
      ];

/** Is the development dependency `@tensorflow/tfjs-converter` installed? */
export const loaderIsHere = bundles !== undefined;
if (!loaderIsHere) console.warn("skipped: the npm package @tensorflow/tfjs-converter is not installed");

/** What the tests use of the package. */
interface GraphModel {
  execute(inputs: Record<string, Tensor>, outputs: string[]): Tensor | Tensor[];
}

interface Converter {
  readonly loadGraphModel: (handler: { readonly load: () => Promise<object> }) => Promise<GraphModel>;
}

interface ModelJson {
  readonly modelTopology: object;
  readonly format: string;
  readonly signature: { readonly outputs: Readonly<Record<string, object>> };
  readonly weightsManifest: readonly { readonly paths: readonly string[]; readonly weights: object[] }[];
}

const modelJson = (folder: string): ModelJson =>
  JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as ModelJson;

/** Outputs of an exported model, by name. */
export const signatureOf = (folder: string): Readonly<Record<string, object>> =>
  modelJson(folder).signature.outputs;

/** An exported model, loaded in Node. */
export interface LoadedGraph {
  readonly outputs: readonly string[];
  /** Values of all outputs for samples given by input name. */
  readonly run: (
    count: number,
    inputs: ReadonlyMap<string, { readonly values: ArrayLike<number>; readonly dims: readonly number[] }>,
  ) => { readonly dims: readonly number[]; readonly values: ArrayLike<number> }[];
}

/** Loads the model of a folder with TensorFlow.js' own loader. */
export async function loadGraph(folder: string): Promise<LoadedGraph> {
  // All of one kind of module, so that there is one list of kernels.
  const tf = require("@tensorflow/tfjs-core") as typeof TensorFlow;
  require("@tensorflow/tfjs-backend-cpu");
  const { loadGraphModel } = require("@tensorflow/tfjs-converter") as Converter;
  await tf.setBackend("cpu");
  const { modelTopology, format, signature, weightsManifest } = modelJson(folder);
  const pieces = weightsManifest.flatMap(({ paths }) =>
    paths.map((path) => readFileSync(join(folder, path))),
  );
  const weightData = new Uint8Array(Buffer.concat(pieces)).buffer;
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const load = async (): Promise<object> => ({ modelTopology, format, signature, weightSpecs, weightData });
  const graph = await loadGraphModel({ load });
  const outputs = Object.keys(signature.outputs);
  return {
    outputs,
    run: (count, inputs) => {
      const feeds = [...inputs].map(([name, { values, dims }]): [string, Tensor] => [
        name,
        tf.tensor(Float32Array.from(values), [count, ...dims]),
      ]);
      const results = graph.execute(Object.fromEntries(feeds), outputs);
      return [results].flat().map((tensor) => ({ dims: tensor.shape, values: tensor.dataSync() }));
    },
  };
}
