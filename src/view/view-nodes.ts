import type { ModelFile, ModelNode } from "../model-files/index.js";
import { attributeTexts, attributeText } from "../network/print-network.js";
import { NameIndex } from "../network/name-index.js";
import {
  formatShape,
  type NetworkNode,
  type NodeFacts,
  type NodeGroup,
  type ShapedNetwork,
} from "../network/network.js";
import type { OpDefinition } from "../network/op-definition.js";
import { operationOfModelFile } from "../ops/unavailable.js";
import type { NodeKind, ViewNode } from "./view-data.js";

/** A node of a model with all that is known of it. */
export interface DescribedNode {
  readonly stored: ModelNode;
  readonly op: OpDefinition | undefined;
  /** Where the network could be validated. */
  readonly node?: NetworkNode;
  readonly facts?: NodeFacts;
  readonly inputs: readonly number[];
}

/** The nodes of a model in the order of evaluation, with what validation found where there was one. */
export function describeNodes(model: ModelFile, shaped: ShapedNetwork | undefined): DescribedNode[] {
  const nodes = inEvaluationOrder(model.nodes);
  const places = new NameIndex(nodes.map(({ name }, index) => [name, index] as const));
  const known = new NameIndex((shaped?.network.nodes ?? []).map((node) => [node.name, node] as const));
  return nodes.map((stored) => {
    const node = known.get(stored.name);
    const facts = node && shaped?.facts.get(node);
    return {
      stored,
      op: operationOfModelFile(stored.operation),
      ...(node ? { node } : {}),
      ...(facts ? { facts } : {}),
      inputs: stored.inputs.map((name) => places.get(name)).filter((place) => place !== undefined),
    };
  });
}

/** Inputs before their users, but for delays, which begin the loops that they close. */
function inEvaluationOrder(nodes: readonly ModelNode[]): ModelNode[] {
  const named = new NameIndex(nodes.map((node) => [node.name, node] as const));
  const ordered: ModelNode[] = [];
  const entered = new Set<ModelNode>();
  for (const root of nodes) {
    // An explicit stack: networks may be deeper than JavaScript's.
    const stack: { readonly node: ModelNode; input: number }[] = entered.has(root)
      ? []
      : [{ node: root, input: 0 }];
    entered.add(root);
    for (let top = stack.at(-1); top; top = stack.at(-1)) {
      const { node } = top;
      const isDelay = operationOfModelFile(node.operation)?.delay !== undefined;
      const name = isDelay ? undefined : node.inputs[top.input++];
      const input = name === undefined ? undefined : named.get(name);
      if (name === undefined) {
        ordered.push(node);
        stack.pop();
      } else if (input && !entered.has(input)) {
        entered.add(input);
        stack.push({ node: input, input: 0 });
      }
    }
  }
  return ordered;
}

const lists: readonly NodeGroup[] = ["feature", "label", "criterion", "evaluation", "output"];

/** What the page tells of each node. `parameters` are the places of values by their node. */
export function viewNodes(
  nodes: readonly DescribedNode[],
  model: ModelFile,
  parameters: ReadonlyMap<number, number>,
): ViewNode[] {
  const members = lists.map(
    (list) => [list, new Set(model.groups[list].map((name) => name.toLowerCase()))] as const,
  );
  const used = new Set(nodes.flatMap(({ inputs }) => inputs));
  const learned = (index: number): boolean => isLearned(nodes[index]);
  return nodes.map(({ stored, op, node, facts, inputs }, index): ViewNode => {
    const name = stored.name.toLowerCase();
    const inLists = members.filter(([, names]) => names.has(name)).map(([list]) => list);
    const attributes = node
      ? attributeTexts(node, facts?.attributes)
      : Object.entries(stored.fields).map(([key, value]) => [key, attributeText(value)] as const);
    const parameter = parameters.get(index);
    return {
      name: stored.name,
      operation: stored.operation,
      describe: op?.doc ?? "",
      kind: kindOf(op, inLists, inputs.some(learned), used.has(index)),
      shape: facts ? formatShape(facts.shape, facts.dynamicAxis) : storedShape(stored),
      inputs,
      // A shape is told as one.
      attributes: attributes.filter(([key]) => key !== "shape"),
      lists: inLists,
      ...(parameter === undefined ? {} : { parameter }),
    };
  });
}

/** A parameter that training changes. */
export function isLearned(node: DescribedNode | undefined): boolean {
  return node?.op?.role === "parameter" && Number(node.stored.fields["learningRateMultiplier"] ?? 0) !== 0;
}

function storedShape({ fields: { shape } }: ModelNode): string {
  return Array.isArray(shape) ? `[${shape.map(String).join(" x ")}]` : "";
}

function kindOf(
  op: OpDefinition | undefined,
  inLists: readonly string[],
  learns: boolean,
  isUsed: boolean,
): NodeKind {
  if (op?.role === "parameter") return "parameter";
  if (op?.role === "input") return "input";
  if (inLists.includes("criterion") || inLists.includes("evaluation")) return "criterion";
  if (inLists.includes("output") || !isUsed) return "output";
  if (op?.delay !== undefined) return "delay";
  return learns ? "learning" : "plain";
}
