import { readFileSync } from "node:fs";
import type { ShapedNetwork } from "../../src/network/network.js";
import { AxisNames } from "../../src/shapes/index.js";
import { builderText, networkFromBrainScript } from "./brainscript-network.js";
import type { RecordedCompile } from "./recorded-log.js";
import { parseRecordedLog } from "./recorded-log.js";
import { validateWithLog } from "./validate-with-log.js";

/** Name of the fixture, and of the file in models/. */
export type RecordedModel = readonly [fixture: string, file: string];

/** Sample configurations whose compiles were recorded from CNTK 2.0 (CPU build, double precision): train, then test. */
export const recordedModels: readonly RecordedModel[] = [
  ["01", "01_OneHidden"],
  ["02", "02_OneConv"],
  ["05", "05_OneConvRegr"],
  ["07", "07_Deconvolution_BS"],
  ["cmap3", "07_Deconvolution_cMap3"],
  ["pool2", "07_Deconvolution_pool2"],
  ["two", "07_Deconvolution_two"],
];

export function recordedCompiles([name]: RecordedModel): { train: RecordedCompile; test: RecordedCompile } {
  const file = new URL(`../fixtures/validation/${name}.txt`, import.meta.url);
  const [train, test] = parseRecordedLog(readFileSync(file, "utf8"));
  if (!train || !test) throw new Error(`${name}: two compiles expected`);
  return { train, test };
}

/** Builds a sample configuration's network and validates it as a training does. */
export function validateModel(
  [, file]: RecordedModel,
  axisNames = new AxisNames(),
  traceLevel = 1,
): ReturnType<typeof validateWithLog> {
  const config = readFileSync(new URL(`../../models/${file}.cntk`, import.meta.url), "utf8");
  const { network } = networkFromBrainScript(builderText(config));
  return validateWithLog(network, { traceLevel, axisNames, elementType: "double" });
}

/** The same network as a model file would bring it back: new nodes, parameters with their inferred shapes. */
export function validateAgain(
  shaped: ShapedNetwork,
  axisNames: AxisNames,
): ReturnType<typeof validateWithLog> {
  const copies = new Map(
    shaped.network.nodes.map((node) => [
      node,
      // The convolution engine is chosen anew in every process.
      {
        ...node,
        attributes: { ...shaped.facts.get(node)?.attributes, engine: undefined },
        tags: new Set(node.tags),
      },
    ]),
  );
  const copyOf = <T extends ShapedNetwork["network"]["nodes"][number]>(node: T) => copies.get(node) ?? node;
  for (const copy of copies.values()) copy.inputs = copy.inputs.map(copyOf);
  const { groups } = shaped.network;
  const network = {
    nodes: [...copies.values()],
    groups: {
      feature: groups.feature.map(copyOf),
      label: groups.label.map(copyOf),
      criterion: groups.criterion.map(copyOf),
      evaluation: groups.evaluation.map(copyOf),
      output: groups.output.map(copyOf),
    },
    values: new Map(),
  };
  return validateWithLog(network, { traceLevel: 1, axisNames, elementType: "double" });
}
