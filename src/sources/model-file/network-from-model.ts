import { emptyGroups } from "../../network/build.js";
import type { Attributes, Network, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";
import { isOfKind } from "../../network/attributes.js";
import { NameIndex } from "../../network/name-index.js";
import type { OpDefinition } from "../../network/op-definition.js";
import { attributesFromFields } from "../../network/stored-fields.js";
import { operationOfModelFile, unavailableOperation } from "../../ops/unavailable.js";
import type { ModelFile } from "../../model-files/index.js";

/**
 * The network of the model file `path`; its parameters keep the values of the file. Operations that cntkts cannot run become nodes
 * all the same, which only running refuses (src/ops/unavailable.ts).
 */
export function networkFromModel(model: ModelFile, path: string): Network {
  const byName = new NameIndex<NetworkNode>();
  const values = new Map<NetworkNode, ParameterValues>();
  const nodes = model.nodes.map(({ name, operation, fields, values: matrix }) => {
    const op = operationOfModelFile(operation);
    // readModel has checked that every operation and every name is there.
    if (!op) throw new Error(`no model file holds the operation ${operation}`);
    const stored = attributesFromFields(op.stored, fields);
    const [single] = matrix?.values.length === 1 ? matrix.values : [];
    // A constant that is one number says so, for the rules that ask for it (CosDistanceWithNegativeSamples).
    const attributes = single === undefined ? stored : { ...stored, initValue: single };
    const node: NetworkNode = {
      name,
      op: usable(op, attributes),
      inputs: [],
      attributes,
      tags: new Set(),
      modelFile: path,
    };
    byName.set(name, node);
    if (matrix) values.set(node, matrix.values);
    return node;
  });
  const nodeNamed = (name: string): NetworkNode => {
    const node = byName.get(name);
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

/** The operation, or a stand-in if the node says what the operation cannot do. */
function usable(op: OpDefinition, attributes: Attributes): OpDefinition {
  for (const [name, { kind }] of Object.entries(op.attributes)) {
    const value = attributes[name];
    // E.g. a Slice along several axes has lists where one along a single axis has numbers.
    if (value !== undefined && !isOfKind[kind](value))
      return unavailableOperation(op, `${op.name} with such a value of ${name}`);
  }
  return op;
}
