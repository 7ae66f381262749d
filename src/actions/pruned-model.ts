import type { ModelFile, ModelNode } from "../model-files/index.js";
import { findNodeBySuffix } from "../network/find-node.js";

/** A model as far as some nodes need it (all of it if none is named); its lists name these nodes as outputs. */
export function prunedModel(model: ModelFile, outputs: readonly string[]): ModelFile {
  if (outputs.length === 0) return model;
  const byName = new Map(model.nodes.map((node) => [node.name.toLowerCase(), node]));
  const needed = new Set<ModelNode>();
  const wanted = outputs.map((name) => findNodeBySuffix(model.nodes, name));
  const open = [...wanted];
  for (let node = open.pop(); node; node = open.pop()) {
    if (needed.has(node)) continue;
    needed.add(node);
    for (const input of node.inputs) {
      const found = byName.get(input.toLowerCase());
      if (found) open.push(found);
    }
  }
  const kept = (names: readonly string[]): string[] =>
    names.filter((name) => needed.has(byName.get(name.toLowerCase()) as ModelNode));
  const { feature, label, criterion, evaluation, output } = model.groups;
  return {
    ...model,
    nodes: model.nodes.filter((node) => needed.has(node)),
    groups: {
      feature: kept(feature),
      label: kept(label),
      criterion: kept(criterion),
      evaluation: kept(evaluation),
      output: [...new Set([...kept(output), ...wanted.map(({ name }) => name)])],
    },
  };
}
