import type { NetworkNode, ShapedNetwork } from "../network/network.js";
import { elementCount, formatShape } from "../network/network.js";
import { formatTable } from "../network/print-table.js";

/**
 * The shapes of a network as a table, for `explain --stage shapes`: one line per node in evaluation order, with what goes
 * in and what comes out; parameters with their number of values.
 */
export function printShapes(shaped: ShapedNetwork): string {
  const shapeOf = (node: NetworkNode) => {
    const facts = shaped.facts.get(node);
    return formatShape(facts?.shape ?? [], facts?.dynamicAxis);
  };
  const leaves = shaped.order.filter((node) => node.inputs.length === 0);
  const inner = shaped.order.filter((node) => node.inputs.length > 0);
  const learned = leaves.filter((node) => shaped.facts.get(node)?.needsGradient);
  const total = learned.reduce((sum, node) => sum + elementCount(shaped.facts.get(node)?.shape ?? []), 0);
  const leafRows = leaves.map((node) => {
    const isLearned = learned.includes(node);
    const kind = node.op.role === "parameter" ? (isLearned ? "learned" : "constant") : node.op.name;
    return [node.name, kind, shapeOf(node)];
  });
  const innerRows = inner.map((node) => [
    node.name,
    node.op.name,
    node.inputs.map((input) => `${shapeOf(input)}`).join(", "),
    "→",
    shapeOf(node),
  ]);
  return (
    `Inputs and parameters (${total} values to learn in ${learned.length} tensors)\n${formatTable(leafRows)}\n` +
    `Operations in evaluation order ('*' is the samples of a minibatch)\n${formatTable(innerRows)}`
  );
}
