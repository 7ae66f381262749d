import type { Attributes, DynamicAxis, NetworkNode, SampleShape } from "../network/network.js";
import { formatShape } from "../network/network.js";

/** What a `Validating` line shows of a node: its current shape and axis. */
export interface PrintedNode {
  readonly shape: SampleShape;
  readonly dynamicAxis: DynamicAxis | null;
}

/**
 * CNTK's prototype of a node: `z = Times (W, x) : [2 x 3], [3 x *] -> [2 x *]`, with an empty list for leaves.
 * Source: ComputationNode.cpp, FormatOperationPrototype.
 */
export function formatPrototype(
  node: NetworkNode,
  attributes: Attributes,
  current: (node: NetworkNode) => PrintedNode,
): string {
  const shapeOf = (of: NetworkNode) => {
    const { shape, dynamicAxis } = current(of);
    return formatShape(shape, dynamicAxis);
  };
  const head = `${node.name} = ${node.op.name}`;
  if (node.inputs.length === 0) return `${head}() :  -> ${shapeOf(node)}`;
  const extra = node.op.validatingSuffix?.(attributes) ?? "";
  const inputs: readonly (NetworkNode | undefined)[] = node.inputs;
  const names = inputs.map((input) => input?.name ?? "NULL").join(", ");
  const shapes = inputs.map((input) => (input ? shapeOf(input) : "NULL")).join(", ");
  return `${head} (${names}${extra}) : ${shapes}${extra} -> ${shapeOf(node)}`;
}
