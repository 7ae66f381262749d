import { formatValue } from "../log/node-values.js";
import type { EvaluatedNode } from "./model-session.js";

/** Text of `cntkts eval`: one sample a line, CNTK's number format, elements separated by blanks. */
export function evaluatedAsText(node: EvaluatedNode): string {
  return node.samples
    .map((sample) => `${Array.from(sample, (value) => formatValue(value)).join(" ")}\n`)
    .join("");
}

/** The same as JSON: node name, shape, samples. */
export function evaluatedAsJson(node: EvaluatedNode): string {
  const samples = node.samples.map((sample) => Array.from(sample));
  return `${JSON.stringify({ node: node.name, shape: node.shape, samples })}\n`;
}
