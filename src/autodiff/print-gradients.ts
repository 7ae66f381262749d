import type { EntryName, ExecutionGraph, GraphEntry, NetworkNode } from "../network/network.js";
import { formatShape } from "../network/network.js";
import { formatTable } from "../network/print-table.js";
import type { Expression } from "../primitives/expression.js";
import { expressionText } from "../primitives/expression-text.js";

/**
 * An execution graph as text, for `explain --stage gradients`: per entry its nodes in the order they are computed, with
 * formula and shape, what the caller gets, and which states change at the end. Run-time numbers stand in braces.
 */
export function printGradients(graph: ExecutionGraph): string {
  return (Object.entries(graph.entries) as [EntryName, GraphEntry][])
    .map(([name, entry]) => printEntry(graph, name, entry))
    .join("\n");
}

function printEntry(graph: ExecutionGraph, name: EntryName, entry: GraphEntry): string {
  const computed = entry.order.filter((node) => node.inputs.length > 0 || node.op.lower);
  const rows = computed.map((node) => {
    const facts = graph.facts.get(node);
    return [`  ${node.name}`, formatShape(facts?.shape ?? [], facts?.dynamicAxis), `= ${formula(node)}`];
  });
  const results = entry.outputs.map((node) => `  ${node.name}\n`).join("");
  const changes = formatTable(
    entry.assignments.map(({ state, value }) => [`  ${state.name}`, `← ${value.name}`]),
  );
  return (
    `entry ${name} (${graph.mode}): ${computed.length} nodes\n${formatTable(rows)}` +
    (results && `returns\n${results}`) +
    (changes && `stores\n${changes}`)
  );
}

/** `Times(W, x)`, or for a map its expression over the inputs' names. */
function formula(node: NetworkNode): string {
  const names = node.inputs.map((input) => input.name);
  const expression = node.attributes["expression"];
  if (node.internal && typeof expression === "object" && expression !== null) {
    return expressionText(expression as Expression, names);
  }
  const operation = node.attributes["operation"];
  const details = node.internal && typeof operation === "string" ? `${operation} ` : "";
  return `${node.op.name}(${details}${names.join(", ")})`;
}
