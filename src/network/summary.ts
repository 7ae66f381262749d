import type { NetworkNode, ShapedNetwork } from "./network.js";
import { elementCount, formatShape } from "./network.js";
import { formatTable } from "./print-table.js";

/** A node with parameters, and the elementwise ones behind it that only it feeds: what people call a layer. */
export interface LayerSummary {
  /** The layer's last node. */
  readonly name: string;
  /** Operations in order: `Times, Plus, Sigmoid`. */
  readonly operations: readonly string[];
  /** As CNTK prints it: `[28 x 28 x 1 x *]`. */
  readonly shape: string;
  /** Elements of the parameters that it is the first to use. */
  readonly parameters: number;
}

export interface NetworkSummary {
  readonly layers: readonly LayerSummary[];
  /** Elements of parameters that training changes, and of those that it does not. */
  readonly trainable: number;
  readonly frozen: number;
}

/** Operations that begin a layer even where nothing else changes the shape. */
const beginLayers = new Set(["Times", "TransposeTimes", "QuantizedTimes", "Convolution", "LookupTable"]);

interface Layer {
  readonly operations: string[];
  last: NetworkNode;
  parameters: number;
}

/** Layers with their shapes and parameters, in the order of evaluation; what feeds no root is left out. */
export function summarizeNetwork({ facts, order }: ShapedNetwork): NetworkSummary {
  const isParameter = (node: NetworkNode): boolean => node.op.role === "parameter";
  const sizeOf = (node: NetworkNode): number => elementCount(facts.get(node)?.shape ?? []);
  const shapeOf = (node: NetworkNode): string => {
    const known = facts.get(node);
    return formatShape(known?.shape ?? [], known?.dynamicAxis);
  };
  const consumers = new Map<NetworkNode, number>();
  for (const node of order) {
    for (const input of new Set(node.inputs)) consumers.set(input, (consumers.get(input) ?? 0) + 1);
  }
  const layers = new Map<NetworkNode, Layer>();
  const counted = new Set<NetworkNode>();
  for (const node of order) {
    if (isParameter(node)) continue;
    const own = node.inputs.filter((input) => isParameter(input) && !counted.has(input));
    const parameters = [...new Set(own)].reduce((sum, input) => sum + sizeOf(input), 0);
    for (const input of own) counted.add(input);
    const [before, ...others] = node.inputs.filter((input) => !isParameter(input));
    const layer = before && others.length === 0 ? layers.get(before) : undefined;
    const continues =
      layer &&
      before &&
      layer.last === before &&
      before.op.role !== "input" &&
      consumers.get(before) === 1 &&
      !beginLayers.has(node.op.name);
    if (continues && shapeOf(before) === shapeOf(node)) {
      layer.operations.push(node.op.name);
      layer.last = node;
      layer.parameters += parameters;
      layers.set(node, layer);
    } else {
      layers.set(node, { operations: [node.op.name], last: node, parameters });
    }
  }
  const used = order.filter(isParameter);
  const learns = (node: NetworkNode): boolean => node.attributes["learningRateMultiplier"] !== 0;
  const sum = (nodes: readonly NetworkNode[]): number =>
    nodes.reduce((total, node) => total + sizeOf(node), 0);
  return {
    layers: [...new Set(layers.values())].map(({ operations, last, parameters }) => ({
      name: last.name,
      operations,
      shape: shapeOf(last),
      parameters,
    })),
    trainable: sum(used.filter(learns)),
    frozen: sum(used.filter((node) => !learns(node))),
  };
}

/** The summary as a table with its totals. */
export function printSummary({ layers, trainable, frozen }: NetworkSummary): string {
  const number = (value: number): string => value.toLocaleString("en-US");
  const heads = ["layer", "operations", "output", "parameters"];
  const rows = layers.map(({ name, operations, shape, parameters }) => [
    name,
    shortened(operations),
    shape,
    parameters > 0 ? number(parameters) : "",
  ]);
  const width = rows.reduce((most, row) => Math.max(most, row[3]?.length ?? 0), "parameters".length);
  const table = formatTable(
    [heads, ...rows].map((row) => [...row.slice(0, 3), (row[3] ?? "").padStart(width)]),
  );
  const rest = frozen > 0 ? `, ${number(trainable)} of them trained` : "";
  return `${table}${number(trainable + frozen)} parameters${rest}\n`;
}

/** Long layers tell how they begin and end. */
function shortened(operations: readonly string[]): string {
  if (operations.length <= 5) return operations.join(", ");
  return [...operations.slice(0, 2), "…", ...operations.slice(-2)].join(", ");
}
