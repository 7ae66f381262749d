import type { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, NodeFacts } from "../network/network.js";
import {
  type NotImplemented,
  notImplementedError,
  refusedByTensors,
  type SparseDataRefusal,
} from "../network/not-implemented.js";

/** When CNTK stumbles over a gradient that has become sparse: in the first minibatch, or in the second. */
export interface MixedGradients {
  readonly atOnce?: CntkError;
  readonly later?: CntkError;
}

/** Places of Source/Math/Matrix.cpp; what is not listed goes through the tensor library. */
const places: Readonly<Record<string, NotImplemented>> = {
  MatrixL2Reg: { function: "ScaleAndAdd", line: 5096 },
  SumElements: { function: "operator+=", line: 1993 },
};

/**
 * A product with sparse data turns its matrix's gradient into a sparse one, to which nothing but products can add. Whoever adds
 * before the product does fails with the second minibatch, whoever adds behind it with the first (LinearAlgebraNodes.h, BackpropTo).
 * `order` are the nodes of the criterion in evaluation order, in the reverse of which CNTK goes through them.
 */
export function mixedGradients(
  order: readonly NetworkNode[],
  facts: ReadonlyMap<NetworkNode, NodeFacts>,
): MixedGradients {
  const sparseSeen = new Set<NetworkNode>();
  const matrices = new Set(order.filter(isSparseProduct(facts)).map(({ inputs }) => inputs[0]));
  let later: CntkError | undefined;
  for (const node of [...order].reverse()) {
    const matrix = node.inputs.find((input) => matrices.has(input) && facts.get(input)?.needsGradient);
    if (!matrix) continue;
    if (isSparseProduct(facts)(node)) sparseSeen.add(matrix);
    else if (!isProduct(node) && node.op.gradient && node.op.differentiable === "yes") {
      const error = refusal(node, matrix, places[node.op.name] ?? refusedByTensors());
      if (sparseSeen.has(matrix)) return { atOnce: error };
      later ??= error;
    }
  }
  return later ? { later } : {};
}

const isProduct = ({ op }: NetworkNode): boolean =>
  op.name === "Times" || op.name === "TransposeTimes" || op.name === "LookupTable";

const isSparseProduct =
  (facts: ReadonlyMap<NetworkNode, NodeFacts>) =>
  ({ op, inputs: [left, right] }: NetworkNode): boolean =>
    op.name === "Times" &&
    left?.op.role === "parameter" &&
    right?.op.role === "input" &&
    facts.get(right)?.storage === "sparse";

function refusal(node: NetworkNode, matrix: NetworkNode, place: SparseDataRefusal): CntkError {
  return notImplementedError(place, {
    code: "sparse-input",
    message: `The gradient of '${matrix.name}' is sparse, and ${node.op.name} cannot add to it.`,
    node,
    label: `takes '${matrix.name}' as well`,
    hint: `beside a product with sparse data only products may teach '${matrix.name}'; declare the data with Input instead of SparseInput`,
  });
}
