import { emptyGroups } from "../network/build.js";
import { CntkError } from "../diagnostics/diagnostic.js";
import { suggest } from "../diagnostics/suggest.js";
import type { FileAccess } from "../files/file-access.js";
import type { NodeGroup } from "../network/network.js";
import type { ElementType } from "../numerics/values.js";
import { ByteReader } from "./byte-reader.js";
import { isLibraryModel, readLibraryModel } from "./library/read-library-model.js";
import type { ModelFile, ModelNode, WrittenGroup, WrittenNode } from "./model-file.js";
import { currentModelVersion } from "./model-file.js";
import { modelFileOperationNames, operationOfModelFile } from "../ops/unavailable.js";
import { type NodeContents, readFields } from "./stored-bytes.js";
import { upgradeModel } from "./upgrade-model.js";

/** Names of the groups' sections in today's files and in older ones, in file order. */
const groupSections: readonly { group?: NodeGroup; names: readonly string[] }[] = [
  { group: "feature", names: ["FeatureNodes"] },
  { group: "label", names: ["LabelNodes"] },
  { group: "criterion", names: ["CriterionNodes", "CriteriaNodes"] },
  { names: ["NodesReqMultiSeqHandling"] },
  { group: "evaluation", names: ["EvalNodes"] },
  { group: "output", names: ["OutputNodes"] },
  { names: ["PairNodes"] },
];

/**
 * Reads a model file: of the `cntk` program (version 1 container, network versions up to 26), or of CNTK's C++ and Python
 * library (protobuf), whose functions become nodes of the same operations. What older versions store
 * differently is converted as CNTK does when it loads them. Throws CntkError `model-file-broken` with the byte offset,
 * `model-file-foreign` for other kinds of files, `model-file-too-new`, `operation-unknown`.
 * Source: Source/ComputationNetworkLib/ComputationNetwork.cpp, Read.
 */
export function readModel(
  bytes: Uint8Array,
  fileName: string,
  /** The bytes are not needed by anybody else: matrices stay in them instead of being copied. */
  ownsBytes = false,
): ModelFile {
  if (isLibraryModel(bytes)) return readLibraryModel(bytes, fileName, ownsBytes);
  const reader = new ByteReader(bytes, fileName, ownsBytes);
  if (!reader.tryMarker("BCN")) throw foreignFile(bytes, fileName);
  const version = readVersion(reader);
  const nodeCount = reader.count("number of nodes", 4);
  reader.marker("BNodeList");
  const precision = version < 7 ? findPrecision(bytes) : undefined;
  const read: ReadNode[] = [];
  for (let i = 0; i < nodeCount; i++) read.push(readNode(reader, version, precision));
  reader.marker("ENodeList");
  const inputs = readRelation(reader, nodeCount);
  const lists = readGroups(reader);
  reader.marker("ECN");
  const groups = groupsOf(lists);
  const inputsOf = (name: string): readonly string[] => inputs.get(name.toLowerCase()) ?? [];
  checkNames(
    fileName,
    read.map(({ node }) => node),
    inputs,
    groups,
  );
  const nodes = read.map(({ node }): ModelNode => ({ ...node, inputs: inputsOf(node.name) }));
  const model = upgradeModel({ version, nodes, groups });
  if (version === currentModelVersion) return model;
  const written = read.map(({ node, written }): [string, WrittenNode] => [
    node.name,
    { ...written, inputs: inputsOf(node.name) },
  ]);
  return { ...model, written: { version, nodes: byNode(model.nodes, new Map(written)), groups: lists } };
}

/** Reads a model file; its matrices are not copied where the file's bytes are nobody else's. Throws as `readModel`. */
export function openModel(files: FileAccess, path: string): ModelFile {
  const own = files.ownBytes?.(path);
  return own ? readModel(own, path, true) : readModel(files.readBytes(path), path);
}

/** What was written of each node; nothing of those that were added. */
function byNode(
  nodes: readonly ModelNode[],
  written: ReadonlyMap<string, WrittenNode>,
): ReadonlyMap<ModelNode, WrittenNode> {
  const known = new Map<ModelNode, WrittenNode>();
  for (const node of nodes) {
    const was = written.get(node.name);
    if (was) known.set(node, was);
  }
  return known;
}

/** Names are unique without regard to case, every node has its inputs listed, and whatever is named is there. */
function checkNames(
  fileName: string,
  nodes: readonly { readonly name: string }[],
  inputs: ReadonlyMap<string, readonly string[]>,
  groups: Readonly<Record<NodeGroup, readonly string[]>>,
): void {
  const broken = (what: string): CntkError =>
    new CntkError({ code: "model-file-broken", message: `The file '${fileName}' is broken: ${what}.` });
  const names = new Set<string>();
  for (const { name } of nodes) {
    const key = name.toLowerCase();
    if (names.has(key)) throw broken(`two nodes are named '${shortened(name)}'`);
    if (!inputs.has(key)) throw broken(`it does not tell the inputs of '${shortened(name)}'`);
    names.add(key);
  }
  const lists: [string, readonly string[]][] = [...inputs, ...Object.entries(groups)];
  for (const [user, list] of lists) {
    const missing = list.find((name) => !names.has(name.toLowerCase()));
    if (missing !== undefined) {
      const place = `'${shortened(user)}' names a node '${shortened(missing)}'`;
      throw broken(`${place} that the file does not hold`);
    }
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function foreignFile(bytes: Uint8Array, fileName: string): CntkError {
  const isLarge = bytes[0] === 0x6b && bytes[1] === 0x74 && bytes[2] === 0x6e && bytes[3] === 0x63;
  if (isLarge) {
    return new CntkError({
      code: "model-file-foreign",
      message: `The file '${fileName}' is a model of CNTK's Python and C++ library of more than 2 GB, which cannot be read.`,
    });
  }
  const isCheckpoint = new ByteReader(bytes, fileName).tryMarker("BVersion");
  return new CntkError({
    code: "model-file-foreign",
    message: isCheckpoint
      ? `The file '${fileName}' is a checkpoint of a training, not a model.`
      : `The file '${fileName}' is not a CNTK model: its first bytes are not 'BCN' in UTF-16.`,
    ...(isCheckpoint ? { hint: "the model has the same name without .ckp" } : {}),
  });
}

function readVersion(reader: ByteReader): number {
  if (!reader.tryMarker("BVersion")) return 1;
  const at = reader.position;
  const version = Number(reader.unsigned8("version"));
  reader.marker("EVersion");
  if (version > currentModelVersion) {
    throw new CntkError({
      code: "model-file-too-new",
      message: `The file '${reader.fileName}' has version ${version} (at byte ${at}); the newest that can be read is ${currentModelVersion}.`,
      hint: "a newer CNTK than 2.0 wrote it",
    });
  }
  return version;
}

/** Files without a precision tag on each node tell it by the element size of their first matrix. */
function findPrecision(bytes: Uint8Array): ElementType {
  const marker = Uint8Array.from("B\0M\0A\0T\0\0\0", (character) => character.charCodeAt(0));
  for (
    let at = bytes.indexOf(marker[0] as number);
    at >= 0;
    at = bytes.indexOf(marker[0] as number, at + 1)
  ) {
    if (marker.every((byte, i) => bytes[at + i] === byte))
      return bytes[at + marker.length] === 8 ? "double" : "float";
  }
  return "float";
}

interface ReadNode {
  readonly node: Omit<ModelNode, "inputs">;
  readonly written: Omit<WrittenNode, "inputs">;
}

function readNode(reader: ByteReader, version: number, filePrecision: ElementType | undefined): ReadNode {
  const tagAt = reader.position;
  const tag = filePrecision ?? reader.wideText("precision of a node");
  if (tag !== "float" && tag !== "double" && tag !== "") {
    throw reader.broken("precision 'float' or 'double' of a node", tagAt);
  }
  const precision: ElementType = tag === "double" ? "double" : "float";
  const operationAt = reader.position;
  const written = reader.wideText("operation of a node");
  const op = operationOfModelFile(written);
  if (op === undefined) throw unknownOperation(reader, written, operationAt);
  const name = reader.wideText("name of a node");
  const fieldsAt = reader.position;
  const { written: said, ...contents } = readFields(reader, op.stored, version, precision);
  checkSize(reader, contents, name, fieldsAt);
  const { values } = contents;
  return {
    node: { precision, operation: op.name, name, ...contents },
    written: { precision: tag, operation: written, fields: said, ...(values && { values }) },
  };
}

/** A tensor has as many values as its shape says. */
function checkSize(reader: ByteReader, { fields, values }: NodeContents, name: string, at: number): void {
  const shape = fields["shape"];
  if (!values || !Array.isArray(shape)) return;
  const elements = shape.reduce((product: number, dim) => product * Number(dim), 1);
  if (elements === values.values.length) return;
  throw reader.broken(
    `${elements} values of '${shortened(name)}' [${shape.join(" x ")}], not ${values.rows} x ${values.columns}`,
    at,
  );
}

function unknownOperation(reader: ByteReader, name: string, at: number): CntkError {
  const near = suggest(name, modelFileOperationNames());
  return new CntkError({
    code: "operation-unknown",
    message: `The file '${reader.fileName}' holds, at byte ${at}, a node of the unknown operation '${shortened(name)}'.`,
    hint:
      near === undefined
        ? "the file is damaged, or written by a program with operations of its own"
        : `CNTK has an operation '${near}'`,
  });
}

/** Input names of each node, by the node's name in lower case. */
function readRelation(reader: ByteReader, nodeCount: number): Map<string, readonly string[]> {
  const inputs = new Map<string, readonly string[]>();
  reader.marker("BRelation");
  for (let i = 0; i < nodeCount; i++) {
    const name = reader.wideText("name of a node");
    const count = reader.count("number of inputs", 2);
    inputs.set(
      name.toLowerCase(),
      Array.from({ length: count }, () => reader.wideText("name of an input")),
    );
  }
  reader.marker("ERelation");
  return inputs;
}

/** The lists of nodes as they are there. */
function readGroups(reader: ByteReader): WrittenGroup[] {
  const groups: WrittenGroup[] = [];
  reader.marker("BRootNodes");
  for (const { names } of groupSections) {
    const begin = names.find((name) => reader.tryMarker(`B${name}`));
    if (begin === undefined) continue;
    const count = reader.count("number of nodes of a group", 2);
    const list = Array.from({ length: count }, () => reader.wideText("name of a node"));
    const end = names.find((name) => reader.tryMarker(`E${name}`));
    if (end === undefined) reader.marker(`E${names[0]}`);
    groups.push({ begin, end: end ?? begin, names: list });
  }
  reader.marker("ERootNodes");
  return groups;
}

function groupsOf(lists: readonly WrittenGroup[]): Record<NodeGroup, string[]> {
  const groups = emptyGroups<string>();
  for (const { begin, names } of lists) {
    const section = groupSections.find((one) => one.names.includes(begin));
    if (section?.group !== undefined) groups[section.group] = [...names];
  }
  return groups;
}
