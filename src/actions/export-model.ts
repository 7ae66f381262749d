import type { ExportFormat } from "../choices.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import type { ModelPart } from "../exporters/index.js";
import { dumpNodes, writeModel } from "../model-files/index.js";
import { findNodeBySuffix } from "../network/find-node.js";
import type { NetworkNode, ParameterValues } from "../network/network.js";
import { depthFirstOrder } from "../network/node-order.js";
import type { ModelSession } from "./model-session.js";
import { prunedModel } from "./pruned-model.js";
import { storedValues } from "./stored-values.js";

export interface ExportRequest {
  readonly format: ExportFormat;
  /** Nodes that the exported model computes; default: those of the output group. */
  readonly outputs: readonly string[];
  /** Of ONNX; default 17. */
  readonly opset: number | undefined;
  /** Of CNTK's own model files, from 1 to 26; default: that of the file, or 26. */
  readonly fileVersion?: number | undefined;
  readonly producerVersion: string;
}

/** Files of an exported model: one, or several by their names in a folder. */
export type ExportedModel = Uint8Array | string | readonly ModelPart[];

/**
 * A model, as far as its outputs need it, in another format.
 * @throws CntkError `export-operation`, `export-outputs`, `export-opset`; before anything is written
 */
export async function exportModel(session: ModelSession, request: ExportRequest): Promise<ExportedModel> {
  if (request.format === "cntk") {
    const { model } = session;
    return writeModel(prunedModel(model, request.outputs), request.fileVersion ?? model.version);
  }
  // Loaded when somebody exports: no other command has to wait for them.
  const { exportOnnx, exportTensorFlow, numpyArchive, opsets } = await import("../exporters/index.js");
  const outputs = outputNodes(session, request.outputs);
  const needed = depthFirstOrder(outputs);
  const isNeeded = new Set(needed);
  const parameters = new Map(
    [...storedValues(session.shaped, session.elementType)].filter(([node]) => isNeeded.has(node)),
  );
  const { format } = request;
  switch (format) {
    case "onnx": {
      const constants = await foldedConstants(session, needed, parameters);
      // onnxruntime computes convolutions and much else in float only.
      const elementType = "float";
      const { shaped } = session;
      const opset = checkedOpset(request.opset ?? opsets.usual, opsets);
      return exportOnnx({
        shaped,
        outputs,
        elementType,
        constants,
        opset,
        producerVersion: request.producerVersion,
      });
    }
    case "tfjs": {
      const constants = await foldedConstants(session, needed, parameters);
      const { producerVersion } = request;
      return exportTensorFlow({ shaped: session.shaped, outputs, constants, producerVersion });
    }
    case "numpy":
      return numpyArchive(
        Array.from(parameters, ([node, values]) => ({
          name: node.name,
          shape: session.shaped.facts.get(node)?.shape ?? [],
          values,
        })),
      );
    case "text":
      return parametersAsText(session, [...parameters.keys()], parameters);
  }
}

function outputNodes({ shaped }: ModelSession, names: readonly string[]): NetworkNode[] {
  const { nodes, groups } = shaped.network;
  const outputs = names.length > 0 ? names.map((name) => findNodeBySuffix(nodes, name)) : groups.output;
  if (outputs.length > 0) return [...new Set(outputs)];
  throw new CntkError({
    code: "export-outputs",
    message: "The model lists no output nodes.",
    hint: "--output NODE says what is wanted; print-nodes lists every node",
  });
}

function checkedOpset(opset: number, opsets: { readonly least: number; readonly most: number }): number {
  if (opset >= opsets.least && opset <= opsets.most) return opset;
  throw new CntkError({
    code: "export-opset",
    message: `ONNX's operation set ${opset} cannot be written.`,
    hint: `those from ${opsets.least} to ${opsets.most} can`,
  });
}

/** The values of parameters, and of all that is computed of nothing else. */
async function foldedConstants(
  session: ModelSession,
  needed: readonly NetworkNode[],
  parameters: ReadonlyMap<NetworkNode, ParameterValues>,
): Promise<ReadonlyMap<NetworkNode, ParameterValues>> {
  // Samples that are drawn differ each time.
  const varying = new Set<NetworkNode>(
    needed.filter(
      ({ op }) => op.role === "input" || op.delay !== undefined || op.name.startsWith("RandomSample"),
    ),
  );
  // In an order in which inputs come first, but for loops, which begin at delays. Statistics of the training set were taken.
  for (const node of needed) {
    if (!parameters.has(node) && node.inputs.some((input) => varying.has(input))) varying.add(node);
  }
  const folded = needed.filter((node) => !varying.has(node) && !parameters.has(node));
  if (folded.length === 0) return parameters;
  const computed = await session.evaluate(
    folded.map(({ name }) => name),
    {},
    1,
  );
  const values = folded.map((node, index): [NetworkNode, ParameterValues] => [
    node,
    computed[index]?.samples[0] ?? new Float32Array(),
  ]);
  return new Map([...parameters, ...values]);
}

function parametersAsText(
  { shaped, elementType }: ModelSession,
  nodes: readonly NetworkNode[],
  values: ReadonlyMap<NetworkNode, ParameterValues>,
): string {
  const settings = { facts: shaped.facts, values, elementType, printValues: true, printMetadata: true };
  return [...dumpNodes({ nodes, ...settings })].join("");
}
