import { emptyGroups } from "../../network/build.js";
import type { Attributes, Network, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";
import type { AttributeKind, OpDefinition } from "../../network/op-definition.js";
import { attributesFromFields } from "../../network/stored-fields.js";
import { operationByName } from "../../ops/index.js";
import { storedLayout } from "../../ops/stored.js";
import { unavailableOperation } from "../../ops/unavailable.js";
import type { ModelFile } from "../../model-files/index.js";

/**
 * The network of a model file; its parameters keep the values of the file. Operations that cntkts cannot run become nodes
 * all the same, which only running refuses (src/ops/unavailable.ts).
 */
export function networkFromModel(model: ModelFile): Network {
  const byName = new Map<string, NetworkNode>();
  const values = new Map<NetworkNode, ParameterValues>();
  const nodes = model.nodes.map(({ name, operation, fields, values: matrix }) => {
    const layout = storedLayout(operation);
    const attributes = layout ? attributesFromFields(layout, fields) : fields;
    const node: NetworkNode = {
      name,
      op: usable(operation, attributes),
      inputs: [],
      attributes,
      tags: new Set(),
    };
    byName.set(name.toLowerCase(), node);
    if (matrix) values.set(node, matrix.values);
    return node;
  });
  // readModel has checked that every name is there.
  const nodeNamed = (name: string): NetworkNode => {
    const node = byName.get(name.toLowerCase());
    if (!node) throw new Error(`the model has no node ${name}`);
    return node;
  };
  model.nodes.forEach(({ inputs }, index) => {
    const node = nodes[index];
    if (node) node.inputs = inputs.map(nodeNamed);
  });
  const groups = emptyGroups();
  for (const group of Object.keys(groups) as NodeGroup[]) {
    groups[group] = model.groups[group].map(nodeNamed);
    for (const node of groups[group]) node.tags.add(group);
  }
  return { nodes, groups, values };
}

/** The operation of that name, or a stand-in if there is none or if the node says what the operation cannot do. */
function usable(operation: string, attributes: Attributes): OpDefinition {
  const op = operationByName(operation);
  if (op === undefined || op.internal) return unavailableOperation(operation);
  for (const [name, { kind }] of Object.entries(op.attributes)) {
    const value = attributes[name];
    // E.g. a Slice along several axes has lists where one along a single axis has numbers.
    if (value !== undefined && !isOfKind(kind, value))
      return unavailableOperation(operation, `${operation} with such a value of ${name}`);
  }
  return op;
}

function isOfKind(kind: AttributeKind, value: unknown): boolean {
  if (kind === "shape") return Array.isArray(value) && value.every((item) => typeof item === "number");
  if (kind === "booleans") return Array.isArray(value) && value.every((item) => typeof item === "boolean");
  return typeof value === (kind === "integer" ? "number" : kind);
}
