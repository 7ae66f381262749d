import { CntkError } from "../diagnostics/diagnostic.js";
import type { Network, NetworkNode, NodeGroup, ParameterValues } from "../network/network.js";
import { operationByName } from "../ops/index.js";
import type { ModelFile } from "./model-file.js";
import { attributesFromFields } from "./node-attributes.js";

/**
 * The network of a model file; its parameters keep the values of the file. Throws CntkError `operation-unsupported` naming
 * the operations that cntkts cannot run yet.
 */
export function networkFromModel(model: ModelFile): Network {
  const unsupported = new Set<string>();
  const byName = new Map<string, NetworkNode>();
  const values = new Map<NetworkNode, ParameterValues>();
  const nodes: NetworkNode[] = [];
  for (const { name, operation, fields, values: matrix } of model.nodes) {
    const op = operationByName(operation);
    if (op === undefined || op.internal) {
      unsupported.add(operation);
      continue;
    }
    const node: NetworkNode = {
      name,
      op,
      inputs: [],
      attributes: attributesFromFields(op.name, fields),
      tags: new Set(),
    };
    nodes.push(node);
    byName.set(name.toLowerCase(), node);
    if (matrix) values.set(node, matrix.values);
  }
  if (unsupported.size > 0) {
    const names = [...unsupported].sort().join(", ");
    throw new CntkError({
      code: "operation-unsupported",
      message: `The model has nodes that are not supported yet: ${names}.`,
      hint: "print-nodes lists them",
    });
  }
  // readModel has checked that every name is there.
  const nodeNamed = (name: string): NetworkNode => byName.get(name.toLowerCase()) as NetworkNode;
  for (const { name, inputs } of model.nodes) nodeNamed(name).inputs = inputs.map(nodeNamed);
  const group = (key: NodeGroup): NetworkNode[] => {
    const members = model.groups[key].map(nodeNamed);
    for (const node of members) node.tags.add(key);
    return members;
  };
  return {
    nodes,
    groups: {
      feature: group("feature"),
      label: group("label"),
      criterion: group("criterion"),
      evaluation: group("evaluation"),
      output: group("output"),
    },
    values,
  };
}
