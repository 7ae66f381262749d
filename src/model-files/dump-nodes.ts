import { CntkError } from "../diagnostics/diagnostic.js";
import { elementCount, type NetworkNode, type NodeFacts, type SampleShape } from "../network/network.js";
import { formatFixed, formatGeneral } from "../numerics/number-format.js";
import type { ElementType, Values } from "../numerics/values.js";

/** What there is to be said of nodes. */
export interface DumpedNodes {
  readonly nodes: readonly NetworkNode[];
  /** What validation found; nodes that were never validated show what they say themselves. */
  readonly facts: ReadonlyMap<NetworkNode, NodeFacts>;
  /** Values of parameters, and of Mean and InvStdDev. */
  readonly values: ReadonlyMap<NetworkNode, Values>;
  readonly elementType: ElementType;
  readonly printValues: boolean;
  readonly printMetadata: boolean;
}

const endOfValues = "#".repeat(68);

/**
 * Nodes as CNTK's dumpNode writes them, piece by piece: operation and inputs, values row by row. CNTK puts a blank before
 * everything, line ends included (File.cpp, ComputationNode.cpp, DumpNodeInfo; InputAndParamNodes.cpp).
 */
export function* dumpNodes(dumped: DumpedNodes): Generator<string> {
  for (const node of dumped.nodes) yield* dumpNode(node, dumped);
}

function* dumpNode(node: NetworkNode, dumped: DumpedNodes): Generator<string> {
  const { facts, values, printValues, printMetadata } = dumped;
  const shape = shapeOf(node, facts);
  const { role } = node.op;
  if (printMetadata) yield metadata(node, shape);
  const extra = node.op.dumped?.({
    attributes: facts.get(node)?.attributes ?? node.attributes,
    inputs: node.inputs.map((input) => shapeOf(input, facts)),
    shape,
  });
  if (extra && (printMetadata || extra.evenWithoutMetadata)) yield spaced(extra.items);
  if (printValues && (role === "parameter" || role === "precompute")) {
    if (printMetadata) yield spaced(["\n"]);
    const given = values.get(node);
    if (given) yield* rowsOfValues(given, shape, dumped.elementType);
    if (printMetadata) yield spaced([endOfValues]);
  }
}

/** ComputationNode.h, CheckTensorIsMatrix. */
function notAMatrix(node: NetworkNode): CntkError {
  return new CntkError({
    code: "sample-sizes",
    message: `Node '${node.name}' (${node.op.name} operation): Sample [] is not a column vector or matrix (1D or 2D tensor).`,
    hint: `'${node.name}' is a number without axes; printMetadata=false leaves its dimensions out`,
  });
}

const spaced = (items: readonly string[]): string => items.map((item) => ` ${item}`).join("");

function metadata(node: NetworkNode, shape: SampleShape): string {
  const { role } = node.op;
  const items = [`\n${node.name}=${node.op.name}`];
  if (node.inputs.length > 0) {
    items.push("(", ...node.inputs.flatMap(({ name }, index) => (index > 0 ? [",", name] : [name])), ")");
  }
  const dims = shape.join(" x ");
  if (role === "parameter") {
    if (shape.length === 0) throw notAMatrix(node);
    const rate = Number(node.attributes["learningRateMultiplier"] ?? 1);
    const [rows, columns] = matrixSize(shape);
    items.push(`[${rows},${columns}]  `);
    items.push(`learningRateMultiplier=${formatFixed(rate, 6)}  NeedsGradient=${rate > 0}`);
  } else if (role === "input") items.push("[", dims, "]");
  else if (role === "precompute") {
    items.push(`[${dims}]  `, `HasComputed=${node.attributes["hasComputed"] === true}`);
  }
  return spaced(items);
}

/** CNTK's matrix of a tensor: the first dimension, and all others as columns. */
function matrixSize(shape: SampleShape): readonly [rows: number, columns: number] {
  return [shape[0] ?? 1, elementCount(shape.slice(1))];
}

/** One line a row; enough digits to read back the very same numbers. */
function* rowsOfValues(values: Values, shape: SampleShape, elementType: ElementType): Generator<string> {
  const [rows, columns] = matrixSize(shape);
  const digits = elementType === "float" ? 9 : 17;
  for (let row = 0; row < rows; row++) {
    let line = "";
    for (let column = 0; column < columns; column++)
      line += ` ${formatGeneral(values[column * rows + row] ?? 0, digits)}`;
    yield `${line} \n`;
  }
}

function shapeOf(node: NetworkNode, facts: ReadonlyMap<NetworkNode, NodeFacts>): SampleShape {
  const known = facts.get(node)?.shape ?? node.attributes["shape"];
  return Array.isArray(known) ? known.map(Number) : [];
}
