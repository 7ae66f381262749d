import type { EntryName, ExecutionGraph, GraphEntry } from "../network/execution-graph.js";
import type { NetworkNode } from "../network/network.js";
import { formatShape } from "../network/network.js";
import { formatTable } from "../network/print-table.js";
import { primitiveAttributes } from "../ops/index.js";
import type { Kind } from "../primitives/instruction.js";
import { signatureOf, signatures } from "../primitives/signatures.js";

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
  const kind = node.op.name;
  if (!node.internal || !isKind(kind)) return `${kind}(${names.join(", ")})`;
  const text = signatureOf(kind).text(primitiveAttributes(node).parameters, names);
  return kind === "map" ? text : `${kind}(${[...names, ...(text ? [text] : [])].join(", ")})`;
}

function isKind(name: string): name is Kind {
  return Object.hasOwn(signatures, name);
}
