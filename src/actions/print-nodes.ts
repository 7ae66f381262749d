import { CntkError } from "../diagnostics/diagnostic.js";
import { type ModelFile, printNodes } from "../model-files/index.js";
import { formatShape, type ShapedNetwork } from "../network/network.js";

/**
 * Text of `cntkts print-nodes`: every node name of a model, one a line; `long` adds type, shape and inputs. Shapes are
 * inferred where cntkts can validate the network; a model with operations it cannot run shows those the file stores.
 */
export function printNodesAction(model: ModelFile, long: boolean, shape: () => ShapedNetwork): string {
  if (!long) return printNodes(model);
  const shapes = new Map<string, string>();
  try {
    const { facts } = shape();
    for (const [node, { shape: dims, dynamicAxis }] of facts)
      shapes.set(node.name, formatShape(dims, dynamicAxis));
  } catch (error) {
    if (!(error instanceof CntkError)) throw error;
  }
  return printNodes(model, { long: true, shapeOf: (name) => shapes.get(name) });
}
