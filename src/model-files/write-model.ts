import type { NodeGroup } from "../network/network.js";
import { type FileAccess, writeWhole } from "../files/file-access.js";
import type { ByteSink } from "./byte-writer.js";
import { joinPieces } from "../files/join-pieces.js";
import { ByteWriter } from "./byte-writer.js";
import type { ModelFile, ModelNode } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";
import { operationOfModelFile } from "../ops/unavailable.js";
import { writeFields } from "./stored-bytes.js";

const groupSections: readonly (readonly [NodeGroup, string])[] = [
  ["feature", "FeatureNodes"],
  ["label", "LabelNodes"],
  ["criterion", "CriterionNodes"],
  ["evaluation", "EvalNodes"],
  ["output", "OutputNodes"],
];

/**
 * A model file in CNTK's version 26, byte for byte as CNTK 2.0 writes the same nodes.
 * Source: Source/ComputationNetworkLib/ComputationNetwork.cpp, SaveToFileImpl.
 */
export function writeModel(model: ModelFile): Uint8Array {
  const pieces: Uint8Array[] = [];
  writeModelTo(model, (piece) => void pieces.push(piece));
  return joinPieces(pieces);
}

/** Writes a model file piece by piece; it appears at `path` only when it is complete. */
export function saveModel(model: ModelFile, files: FileAccess, path: string): void {
  writeWhole(files, path, (file) => writeModelTo(model, (piece) => file.write(piece)));
}

/** Hands the bytes of a model file to `sink`, piece by piece. */
export function writeModelTo(model: ModelFile, sink: ByteSink): void {
  const writer = new ByteWriter(sink);
  writer.wideText("BCN");
  writer.wideText("BVersion");
  writer.unsigned8(currentModelVersion);
  writer.wideText("EVersion");
  writer.unsigned8(model.nodes.length);
  writer.wideText("BNodeList");
  for (const node of model.nodes) writeNode(writer, node);
  writer.wideText("ENodeList");
  writer.wideText("BRelation");
  for (const node of model.nodes) {
    writer.wideText(node.name);
    writeNames(writer, node.inputs);
  }
  writer.wideText("ERelation");
  writer.wideText("BRootNodes");
  for (const [group, section] of groupSections) {
    writer.wideText(`B${section}`);
    writeNames(writer, model.groups[group]);
    writer.wideText(`E${section}`);
  }
  writer.wideText("ERootNodes");
  writer.wideText("ECN");
  writer.finish();
}

function writeNode(writer: ByteWriter, node: ModelNode): void {
  writer.wideText(node.precision);
  writer.wideText(node.operation);
  writer.wideText(node.name);
  const op = operationOfModelFile(node.operation);
  if (op === undefined) throw new Error(`node ${node.name} has the unknown operation ${node.operation}`);
  writeFields(writer, op.stored, node, node.precision);
}

function writeNames(writer: ByteWriter, names: readonly string[]): void {
  writer.unsigned8(names.length);
  for (const name of names) writer.wideText(name);
}
