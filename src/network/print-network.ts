import type { Network, NetworkNode, NodeGroup } from "./network.js";
import { collectRoots, depthFirstOrder } from "./node-order.js";
import { formatTable } from "./print-table.js";

const groupNames: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

/** A network as text, for `explain --stage network`: every node with its inputs and attributes, in evaluation order. */
export function printNetwork(network: Network): string {
  const order = depthFirstOrder(collectRoots(network));
  const rows = order.map((node) => [
    `${node.name} =`,
    `${node.op.name} (${node.inputs.map((input) => input.name).join(", ")})`,
    formatAttributes(node),
  ]);
  const groups = groupNames.flatMap((group) => {
    const nodes = network.groups[group];
    return nodes.length > 0 ? [[`${group}:`, nodes.map((node) => node.name).join(", ")]] : [];
  });
  return `${network.nodes.length} nodes\n\n${formatTable(rows)}\n${formatTable(groups)}`;
}

/** Attributes that differ from the op's defaults, as `kernelShape=5 x 5`. */
function formatAttributes(node: NetworkNode): string {
  return Object.entries(node.attributes)
    .filter(([key, value]) => value !== undefined && !isDefault(node, key, value))
    .map(([key, value]) => `${key}=${formatValue(value)}`)
    .join(" ");
}

function isDefault(node: NetworkNode, key: string, value: unknown): boolean {
  return JSON.stringify(node.op.attributes[key]?.default) === JSON.stringify(value);
}

function formatValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(String).join(" x ");
  return typeof value === "string" ? `'${value}'` : String(value);
}
