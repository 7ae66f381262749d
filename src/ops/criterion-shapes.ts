import type { NetworkNode, SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GradientContext, ShapeContext, ShapeResult } from "../network/op-definition.js";
import type { Operand } from "../primitives/instruction.js";
import { stretchesTo } from "../primitives/stretching.js";
import { at } from "./define-op.js";
import { flat } from "./lowering.js";
import { binaryReduce, differentSamples } from "./shape-rules.js";

/*
 * Criteria compare samples element by element. CNTK looks at the axes that both inputs have and then computes with matrices
 * whose columns are whole samples: [10] and [1 x 1 x 10] are the same column to it, [2] and [1 x 3] end in an error of the
 * matrix library. Here the latter is an error of shapes, and the former are taken as columns too.
 */

/** The shape with the most elements; of equal ones the first. */
export function widestShape(shapes: readonly SampleShape[]): SampleShape {
  return shapes.reduce((widest, shape) => (elementCount(shape) > elementCount(widest) ? shape : widest));
}

/** Have samples of these shapes to be seen as columns, since their axes do not stretch to one another? */
function areColumns(shapes: readonly SampleShape[]): boolean {
  const widest = widestShape(shapes);
  return !shapes.every((shape) => stretchesTo(shape, widest));
}

/** Shape rule of a criterion that compares its first two inputs element by element. */
export function elementwiseReduce(context: ShapeContext): ShapeResult {
  const result = binaryReduce(context);
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  const isSameCount = elementCount(a.shape) === elementCount(b.shape);
  if (context.isFinalPass && !isSameCount && areColumns([a.shape, b.shape])) {
    throw differentSamples(context, a, b);
  }
  return result;
}

/** Operands that stretch to one another: themselves, or their samples as columns. */
export function comparable(operands: readonly Operand[]): readonly Operand[] {
  return areColumns(operands.map(({ dims }) => dims)) ? operands.map(flat) : operands;
}

type GradientRule<A> = (context: GradientContext<A>) => readonly (NetworkNode | null)[];

/** A gradient rule written for inputs that stretch to one another, for the others as well. */
export function comparing<A>(rule: GradientRule<A>): GradientRule<A> {
  return (context) => {
    const { build, inputs, companions } = context;
    const shapes = inputs.map((input) => build.facts(input).shape);
    if (!areColumns(shapes)) return rule(context);
    const column = (node: NetworkNode): NetworkNode =>
      build.reshape(node, [elementCount(build.facts(node).shape)]);
    const columns = { ...context, inputs: inputs.map(column), companions: companions.map(column) };
    return rule(columns).map((contribution, index) => {
      const shape = at(shapes, index);
      const isWhole = contribution && elementCount(build.facts(contribution).shape) === elementCount(shape);
      return isWhole ? build.reshape(contribution, shape) : contribution;
    });
  };
}
