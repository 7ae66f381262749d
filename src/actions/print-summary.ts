import type { ModelFile, ModelNode } from "../model-files/index.js";
import type { NodeGroup, ShapedNetwork } from "../network/network.js";
import { formatTable } from "../network/print-table.js";
import { CntkError } from "../diagnostics/diagnostic.js";

/** Values of a node that learns or could: its parameters. */
const parametersOf = ({ values }: ModelNode): number => values?.values.length ?? 0;

const isLearned = ({ fields }: ModelNode): boolean => Number(fields["learningRateMultiplier"] ?? 0) > 0;

/** The nodes of a model as JSON: name, operation, shape (null where it cannot be found), inputs, parameters, groups. */
export function nodesAsJson(model: ModelFile, shape: () => ShapedNetwork): string {
  const shapes = shapesByName(shape);
  const groupsOf = (name: string): string[] =>
    (Object.keys(model.groups) as NodeGroup[]).filter((group) => model.groups[group].includes(name));
  const nodes = model.nodes.map((node) => ({
    name: node.name,
    operation: node.operation,
    shape: shapes.get(node.name) ?? storedShape(node),
    inputs: node.inputs,
    parameters: parametersOf(node),
    groups: groupsOf(node.name),
  }));
  return `${JSON.stringify(nodes, null, 2)}\n`;
}

function storedShape({ fields }: ModelNode): unknown {
  return fields["shape"] ?? null;
}

function shapesByName(shape: () => ShapedNetwork): Map<string, readonly number[]> {
  try {
    return new Map(Array.from(shape().facts, ([node, facts]) => [node.name, facts.shape]));
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
    return new Map();
  }
}

/**
 * A model's layers as a table: what has parameters, by the path in front of their names, with how many are learned and how
 * many are constant; then the totals.
 */
export function modelSummary(model: ModelFile): string {
  const layers = new Map<string, { parts: string[]; learned: number; constant: number }>();
  for (const node of model.nodes) {
    const count = parametersOf(node);
    if (count === 0) continue;
    const dot = node.name.lastIndexOf(".");
    const path = dot < 0 ? node.name : node.name.slice(0, dot);
    const layer = layers.get(path) ?? { parts: [], learned: 0, constant: 0 };
    layers.set(path, layer);
    const dims = [storedShape(node)].flat().join(" x ");
    layer.parts.push(`${dot < 0 ? node.name : node.name.slice(dot + 1)} [${dims}]`);
    if (isLearned(node)) layer.learned += count;
    else layer.constant += count;
  }
  const rows = Array.from(layers, ([path, { parts, learned, constant }]) => [
    path,
    String(learned),
    String(constant),
    parts.join(", "),
  ]);
  const total = (kind: "learned" | "constant"): number =>
    [...layers.values()].reduce((sum, layer) => sum + layer[kind], 0);
  const heading = ["layer", "learned", "constant", "parameters"];
  const last = ["total", String(total("learned")), String(total("constant")), `${model.nodes.length} nodes`];
  return formatTable([heading, ...rows, last]);
}
