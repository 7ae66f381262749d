import { CntkError } from "../diagnostics/diagnostic.js";
import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount, mostAxes } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapedInput } from "../network/op-definition.js";
import { describe, describeShort, formatDims, shapeProblem } from "./define-op.js";

/*
 * What the entries of the sequence families share: CNTK's two ways to read a node as a matrix, its habit of checking in
 * the final pass only, and the refusal of operations that have a shape but no value yet.
 */

function notAvailable(node: NetworkNode): CntkError {
  return new CntkError({
    code: "not-available",
    message: `${node.op.name} is not available yet`,
    ...(node.origin && { span: node.origin, label: `makes ${node.name} (${node.op.name})` }),
    ...(node.calls && { calls: node.calls.map((span) => ({ span })) }),
    hint: "its shape is known, so `check` works, but its value cannot be computed",
  });
}

/**
 * Spread into an entry that has a shape rule and no lowering: networks with it can be built, checked, printed and loaded;
 * whoever asks for its value or its gradient is refused.
 */
export const notRunnable = {
  runnable: false,
  lower({ node }: { readonly node: NetworkNode }): void {
    throw notAvailable(node);
  },
  gradient({ node }: { readonly node: NetworkNode }): never {
    throw notAvailable(node);
  },
} as const satisfies Partial<OpDefinition>;

/** An error of a node in CNTK's shorter style: `z Slice operation: …`. */
export function problem(
  context: Pick<ShapeContext, "node">,
  what: string,
  hint?: string,
  code = "shape-mismatch",
): CntkError {
  return shapeProblem(context.node, code, `${describeShort(context.node)}${what}`, hint);
}

/** @throws CntkError for an axis, counted from 1, that no tensor can have: before anything is as long as that. */
export function checkAxis(context: Pick<ShapeContext, "node">, axis: number): void {
  if (axis <= mostAxes) return;
  const hint = `a tensor has ${mostAxes} axes at most`;
  throw problem(context, `: there can be no axis ${axis}`, hint, "shape-too-large");
}

/** A tensor without samples as a matrix: the first axis by all others. */
export interface MatrixSize {
  readonly rows: number;
  readonly columns: number;
}

/** Throws CNTK's complaint for minibatch data, which is no single matrix (ComputationNode.h, CheckTensorIsMatrix). */
export function matrixSize(input: ShapedInput): MatrixSize {
  if (input.dynamicAxis) {
    throw shapeProblem(
      input.node,
      "minibatch-data",
      `${describe(input.node)}: Minibatch data cannot be interpreted as a single 2D tensor.`,
      `it has the shape [${formatDims(input.shape)}] for every sample; a parameter is expected here`,
    );
  }
  return { rows: input.shape[0] ?? 1, columns: elementCount(input.shape.slice(1)) };
}

/** Do two shapes differ at most where one of them is 1 or ends early (TensorShape::IsElementwiseCompatibleWith)? */
export function isElementwiseCompatible(a: SampleShape, b: SampleShape): boolean {
  const rank = Math.max(a.length, b.length);
  for (let axis = 0; axis < rank; axis++) {
    const [left, right] = [a[axis] ?? 1, b[axis] ?? 1];
    if (left !== right && left !== 1 && right !== 1) return false;
  }
  return true;
}
