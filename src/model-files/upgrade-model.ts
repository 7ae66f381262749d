import type { UpgradedInput } from "../network/stored-fields.js";
import { newValues } from "../numerics/values.js";
import { learnableParameter } from "../ops/inputs.js";
import { operationOfModelFile } from "../ops/unavailable.js";
import type { ModelFile, ModelMatrix, ModelNode } from "./model-file.js";

/**
 * What CNTK changes in the links of older files when it loads them, as the operations declare it: inputs that change places,
 * parameters that are added, and parameters whose values mean something else today.
 * Source: Source/ComputationNetworkLib/ComputationNetwork.cpp, TrainingNodes.h, RNNNodes.cpp.
 */
export function upgradeModel(file: ModelFile): ModelFile {
  const byName = new Map(file.nodes.map((node) => [node.name.toLowerCase(), node]));
  const replaced = new Map<string, ModelNode>();
  const added: ModelNode[] = [];
  for (const node of file.nodes) {
    const upgraded = operationOfModelFile(node.operation)?.stored.upgradeInputs?.(node.inputs, file.version);
    if (!upgraded) continue;
    const inputs = upgraded.map((input) => {
      if ("newParameter" in input) {
        const parameter = newParameter(`${node.name}.${input.newParameter}`, node);
        added.push(parameter);
        return parameter.name;
      }
      const parameter = byName.get(input.name.toLowerCase());
      if (parameter && !replaced.has(parameter.name)) {
        const values = converted(parameter, input, node);
        if (values) replaced.set(parameter.name, { ...parameter, values });
      }
      return input.name;
    });
    replaced.set(node.name, { ...(replaced.get(node.name) ?? node), inputs });
  }
  if (replaced.size === 0) return file;
  const nodes = file.nodes.map((node) => replaced.get(node.name) ?? node);
  return { ...file, nodes: added.length === 0 ? nodes : [...nodes, ...added].sort(byNameIgnoringCase) };
}

/** CNTK's order of nodes: by name in lower case. */
export function byNameIgnoringCase(a: { readonly name: string }, b: { readonly name: string }): number {
  const left = a.name.toLowerCase();
  const right = b.name.toLowerCase();
  return left < right ? -1 : left > right ? 1 : 0;
}

function newParameter(name: string, { precision }: ModelNode): ModelNode {
  return {
    precision,
    operation: learnableParameter.name,
    name,
    inputs: [],
    fields: { learningRateMultiplier: 0, shape: [1] },
    values: { rows: 1, columns: 1, values: newValues(precision, 1) },
  };
}

function converted(
  parameter: ModelNode,
  input: UpgradedInput,
  { fields }: ModelNode,
): ModelMatrix | undefined {
  const convert = "convert" in input ? input.convert : undefined;
  if (!convert || !parameter.values) return undefined;
  const { values, ...size } = parameter.values;
  return { ...size, values: values.map((value) => convert(value, fields)) };
}
