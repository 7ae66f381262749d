import type { FileAccess } from "../files/file-access.js";
import { joinPieces } from "../files/join-pieces.js";
import type { NodeGroup } from "../network/network.js";
import { operationOfModelFile } from "../ops/unavailable.js";
import type { ByteSink } from "./byte-writer.js";
import { ByteWriter } from "./byte-writer.js";
import { writtenModel } from "./downgrade-model.js";
import type { ModelFile, ModelNode, WrittenGroup, WrittenNode } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";
import { writeRenamed } from "./renamed-file.js";
import { writeFields } from "./stored-bytes.js";

const groupSections: readonly (readonly [NodeGroup, string])[] = [
  ["feature", "FeatureNodes"],
  ["label", "LabelNodes"],
  ["criterion", "CriterionNodes"],
  ["evaluation", "EvalNodes"],
  ["output", "OutputNodes"],
];

/**
 * A model file in a version of CNTK's, 26 if nothing is said: byte for byte as CNTK 2.0 writes the same nodes. A file of an older
 * version that was not changed comes back as it was in its own.
 * @throws CntkError `model-version` for what an older version cannot say
 * Source: Source/ComputationNetworkLib/ComputationNetwork.cpp, SaveToFileImpl.
 */
export function writeModel(model: ModelFile, version?: number): Uint8Array {
  const pieces: Uint8Array[] = [];
  writeModelTo(model, (piece) => void pieces.push(piece), version);
  return joinPieces(pieces);
}

/** Writes a model file piece by piece; it appears at `path` only when it is complete. */
export function saveModel(model: ModelFile, files: FileAccess, path: string, version?: number): void {
  writeRenamed(files, path, (file) => writeModelTo(model, (piece) => file.write(piece), version));
}

/** Hands the bytes of a model file to `sink`, piece by piece. */
export function writeModelTo(model: ModelFile, sink: ByteSink, version = currentModelVersion): void {
  const writer = new ByteWriter(sink);
  const nodes = version === currentModelVersion ? asTheyAre(model) : writtenModel(model, version);
  writer.wideText("BCN");
  if (version > 1) {
    writer.wideText("BVersion");
    writer.unsigned8(version);
    writer.wideText("EVersion");
  }
  writer.unsigned8(nodes.size);
  writer.wideText("BNodeList");
  for (const [node, written] of nodes) writeNode(writer, node, written, version);
  writer.wideText("ENodeList");
  writer.wideText("BRelation");
  for (const [{ name }, { inputs }] of nodes) {
    writer.wideText(name);
    writeNames(writer, inputs);
  }
  writer.wideText("ERelation");
  writer.wideText("BRootNodes");
  for (const { begin, end, names } of groupsOf(model, version)) {
    writer.wideText(`B${begin}`);
    writeNames(writer, names);
    writer.wideText(`E${end}`);
  }
  writer.wideText("ERootNodes");
  writer.wideText("ECN");
  writer.finish();
}

function asTheyAre({ nodes }: ModelFile): ReadonlyMap<ModelNode, WrittenNode> {
  return new Map(nodes.map((node) => [node, node]));
}

/** The lists as the file had them, as long as they hold the same names. */
function groupsOf({ groups, written }: ModelFile, version: number): readonly WrittenGroup[] {
  const today = groupSections.map(([group, name]) => ({ begin: name, end: name, names: groups[group] }));
  if (written?.version !== version) return today;
  const said = (lists: readonly WrittenGroup[]): string =>
    JSON.stringify(lists.map(({ names }) => names).filter(({ length }) => length > 0));
  return said(written.groups) === said(today) ? written.groups : today;
}

function writeNode(writer: ByteWriter, node: ModelNode, written: WrittenNode, version: number): void {
  // Files before version 7 do not tell the precision.
  if (version >= 7) writer.wideText(written.precision);
  writer.wideText(written.operation);
  writer.wideText(node.name);
  const op = operationOfModelFile(node.operation);
  if (op === undefined) throw new Error(`node ${node.name} has the unknown operation ${node.operation}`);
  writeFields(writer, op.stored, written, node.precision, version);
}

function writeNames(writer: ByteWriter, names: readonly string[]): void {
  writer.unsigned8(names.length);
  for (const name of names) writer.wideText(name);
}
