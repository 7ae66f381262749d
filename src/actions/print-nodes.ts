import type { ShapedNetwork } from "../network/network.js";
import { formatShape } from "../network/network.js";
import { type ModelFile, printNodes } from "../model-files/index.js";

/**
 * Text of `cntkts print-nodes`: every node name of a model, one a line; `long` adds type, shape and inputs. Shapes come
 * from `shaped` where cntkts can validate the network, else from what the file says.
 */
export function printNodesAction(model: ModelFile, long: boolean, shaped?: ShapedNetwork): string {
  if (!long || !shaped) return printNodes(model, { long });
  const rows = model.nodes.map(({ name }) => {
    const node = shaped.network.nodes.find((candidate) => candidate.name === name);
    const facts = node && shaped.facts.get(node);
    return node && facts
      ? [
          name,
          node.op.name,
          formatShape(facts.shape, facts.layout),
          node.inputs.map((input) => input.name).join(", "),
        ]
      : [name, "", "", ""];
  });
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map(
      (row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd() + "\n",
    )
    .join("");
}
