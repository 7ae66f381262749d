import { CntkError, type Diagnostic } from "../diagnostics/diagnostic.js";
import type { NetworkNode, ShapedNetwork } from "../network/network.js";

/** Runs part of a network; an error that names a node and no place gets the node's. */
export async function located<T>(shaped: ShapedNetwork, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw withPlace(error, shaped.network.nodes, shaped);
  }
}

/** The error with the place of the node that it names, if it has none and the node is among these. */
export function withPlace(error: unknown, nodes: readonly NetworkNode[], shaped?: ShapedNetwork): unknown {
  if (!(error instanceof CntkError) || error.diagnostic.span) return error;
  const node = nodes.find(({ name }) => name === error.diagnostic.node);
  if (!node) return error;
  const { diagnostic } = error;
  return new CntkError({
    ...diagnostic,
    span: node.origin,
    calls: node.calls?.map((span) => ({ span, label: "in the call" })),
    label: node.inputs.length > 0 ? `makes ${node.name} (${node.op.name})` : undefined,
    hint: hintOf(diagnostic, node, shaped),
  });
}

/** Where axes do not fit, which input has which. */
function hintOf(
  { code, hint }: Diagnostic,
  node: NetworkNode,
  shaped: ShapedNetwork | undefined,
): string | undefined {
  if (code !== "dynamic-axes-differ" || !shaped) return hint;
  const axes = node.inputs.map((input) => {
    const axis = shaped.facts.get(input)?.dynamicAxis;
    return `'${input.name}' ${axis ? `runs along '${axis.axisName}'` : "has no sequences"}`;
  });
  return `${axes.join(", ")}; ${hint}`;
}
