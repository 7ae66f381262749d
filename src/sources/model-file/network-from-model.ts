import { emptyGroups } from "../../network/build.js";
import type { Network, NetworkNode, NodeGroup, ParameterValues } from "../../network/network.js";
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
    const known = operationByName(operation);
    const layout = storedLayout(operation);
    const node: NetworkNode = {
      name,
      op: known === undefined || known.internal ? unavailableOperation(operation) : known,
      inputs: [],
      attributes: layout ? attributesFromFields(layout, fields) : fields,
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
