import type { ModelFile, ModelNode } from "./model-file.js";

/**
 * What CNTK changes in the nodes of older files when it loads them: batch normalization gets its sixth input, the run count
 * (which is forgotten: it starts at 0), and its stored inverse deviations become variances; the inputs of an
 * OptimizedRNNStack change places.
 * Source: Source/ComputationNetworkLib/ComputationNetwork.cpp, TrainingNodes.h, RNNNodes.cpp.
 */
export function upgradeModel(file: ModelFile): ModelFile {
  if (file.version >= 20) return file;
  const replaced = new Map<string, ModelNode>();
  const added: ModelNode[] = [];
  for (const node of file.nodes) {
    if (node.operation === "BatchNormalization") {
      const { holdsInverseDeviation, ...fields } = node.fields;
      if (holdsInverseDeviation) convertDeviation(file, node, replaced);
      if (file.version >= 19) continue;
      const counter = runCountOf(node);
      added.push(counter);
      replaced.set(node.name, {
        ...node,
        fields: { ...fields, runCount: 0 },
        inputs: [...node.inputs, counter.name],
      });
    } else if (node.operation === "OptimizedRNNStack" && file.version < 14) {
      const [first = "", second = "", ...rest] = node.inputs;
      replaced.set(node.name, { ...node, inputs: [second, first, ...rest] });
    }
  }
  const nodes = file.nodes.map((node) => replaced.get(node.name) ?? node);
  return { ...file, nodes: [...nodes, ...added].sort(byNameIgnoringCase) };
}

/** CNTK's order of nodes: by name in lower case. */
export function byNameIgnoringCase(a: { readonly name: string }, b: { readonly name: string }): number {
  const left = a.name.toLowerCase();
  const right = b.name.toLowerCase();
  return left < right ? -1 : left > right ? 1 : 0;
}

function runCountOf(node: ModelNode): ModelNode {
  const values = node.precision === "float" ? new Float32Array(1) : new Float64Array(1);
  return {
    precision: node.precision,
    operation: "LearnableParameter",
    name: `${node.name}.run_sample_count`,
    inputs: [],
    fields: { learningRateMultiplier: 0, shape: [1] },
    values: { rows: 1, columns: 1, values },
  };
}

/** Up to version 12 the fifth input held 1/deviation: the variance is 1/s² - or rather, as CNTK has it, 1/s² + epsilon. */
function convertDeviation(file: ModelFile, node: ModelNode, replaced: Map<string, ModelNode>): void {
  const wanted = node.inputs[4]?.toLowerCase();
  const parameter = file.nodes.find((candidate) => candidate.name.toLowerCase() === wanted);
  if (!parameter?.values || replaced.has(parameter.name)) return;
  const epsilon = node.fields["epsilon"] as number;
  const { values, ...size } = parameter.values;
  const variances = values.map((value) => 1 / (value * value) + epsilon);
  replaced.set(parameter.name, { ...parameter, values: { ...size, values: variances } });
}
