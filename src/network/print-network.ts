import type { Attributes } from "./attributes.js";
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

function formatAttributes(node: NetworkNode): string {
  return attributeTexts(node)
    .map(([key, text]) => `${key}=${text}`)
    .join(" ");
}

/** Attributes that differ from the op's defaults, as `["kernelShape", "5 x 5"]`. */
export function attributeTexts(
  node: NetworkNode,
  attributes: Attributes = node.attributes,
): (readonly [name: string, text: string])[] {
  return Object.entries(attributes)
    .filter(([key, value]) => value !== undefined && !isDefault(node, key, value))
    .map(([key, value]) => [key, attributeText(value)]);
}

function isDefault(node: NetworkNode, key: string, value: unknown): boolean {
  return attributeText(node.op.attributes[key]?.default) === attributeText(value);
}

/** The value of an attribute as text. */
export function attributeText(value: unknown): string {
  if (Array.isArray(value)) return value.map(attributeText).join(" x ");
  if (typeof value === "object" && value !== null) return Object.values(value).map(attributeText).join(" x ");
  return typeof value === "string" ? `'${value}'` : String(value);
}
