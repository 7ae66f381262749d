import { CntkError } from "../diagnostics/diagnostic.js";
import { findNode } from "../network/find-node.js";
import { elementCount, type NetworkNode, type ShapedNetwork } from "../network/network.js";
import type { SgdOptions } from "./sgd-options.js";

/** Criterion and evaluation nodes as a training uses them. */
export interface TrainingNodes {
  /** All criteria that the network names; the first one is trained. */
  readonly criteria: readonly NetworkNode[];
  readonly criterion: NetworkNode;
  /** Evaluation nodes that are not criteria. */
  readonly evaluations: readonly NetworkNode[];
}

type NamedNodes = Pick<SgdOptions, "trainCriterionNodeName" | "evaluationCriterionNodeName">;

/** The nodes to train and to watch: groups of the network, or the names given in the SGD block. */
export function trainingNodes(shaped: ShapedNetwork, options: NamedNodes): TrainingNodes {
  const { criteria, criterion } = trainingCriteria(shaped, options);
  return { criteria, criterion, evaluations: evaluationsBeside(shaped, options, criteria) };
}

function nodeNamed(shaped: ShapedNetwork, name: string): NetworkNode {
  const node = findNode(shaped.network.nodes, name);
  if (!node) {
    throw new CntkError({
      code: "node-unknown",
      message: `There is no node named '${name}' in the network.`,
    });
  }
  const { dynamicAxis, shape = [] } = shaped.facts.get(node) ?? {};
  if (!dynamicAxis && elementCount(shape) === 1) return node;
  throw new CntkError({
    code: "criterion-shape",
    message: `${node.name} ${node.op.name} operation is not a valid training or eval criterion node.`,
    hint: "a criterion is one number for all samples of a minibatch",
  });
}

/** Evaluation nodes that are not criteria. */
export function evaluationsBeside(
  shaped: ShapedNetwork,
  { evaluationCriterionNodeName: name }: NamedNodes,
  criteria: readonly NetworkNode[],
): NetworkNode[] {
  const evaluations = name ? [nodeNamed(shaped, name)] : shaped.network.groups.evaluation;
  return evaluations.filter((node) => !criteria.includes(node));
}

/** What is trained. Throws CntkError `no-criterion` where nothing is. */
export function trainingCriteria(
  shaped: ShapedNetwork,
  { trainCriterionNodeName: name }: NamedNodes,
): Pick<TrainingNodes, "criteria" | "criterion"> {
  const criteria = name ? [nodeNamed(shaped, name)] : shaped.network.groups.criterion;
  const [criterion] = criteria;
  if (!criterion) {
    const near = shaped.network.misspelt?.find(({ group }) => group === "criterion");
    throw new CntkError({
      code: "no-criterion",
      message: "No criterion node was specified.",
      ...(near && { span: near.span, label: `listed as ${near.name}` }),
      hint: near ? `did you mean '${near.meant}'?` : "list it: criterionNodes = (ce)",
    });
  }
  return { criteria, criterion };
}
