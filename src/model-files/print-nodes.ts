import { operationByName } from "../ops/index.js";
import { formatTable } from "../network/print-table.js";
import type { ModelFile, ModelNode } from "./model-file.js";

export interface PrintNodesOptions {
  /** Adds type, shape and inputs. */
  readonly long?: boolean;
  /** Shape of a node as printed, `[28 x 28 x 1 x *]`, where somebody knows it; parameters and inputs tell theirs. */
  readonly shapeOf?: (name: string) => string | undefined;
}

/** The nodes of a model, one line each, in the order of the file. */
export function printNodes(model: ModelFile, options: PrintNodesOptions = {}): string {
  if (!options.long) return model.nodes.map(({ name }) => `${name}\n`).join("");
  const rows = model.nodes.map((node) => [
    node.name,
    node.operation,
    options.shapeOf?.(node.name) ?? storedShape(node),
    node.inputs.length > 0 ? `(${node.inputs.join(", ")})` : "",
  ]);
  return formatTable(rows);
}

/** The shape a file stores: of parameters and inputs. */
function storedShape(node: ModelNode): string {
  const role = operationByName(node.operation)?.role;
  const { shape } = node.fields;
  if ((role !== "parameter" && role !== "input") || !Array.isArray(shape)) return "";
  return `[${(role === "parameter" ? shape : [...shape.map(String), "*"]).join(" x ")}]`;
}
