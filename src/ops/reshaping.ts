import type { SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { checkAxis } from "./declared.js";
import { at, defineOp, describeShort, formatDims, memoryNone, shapeProblem } from "./define-op.js";
import { withDims } from "./lowering.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { axisField } from "./stored-parts.js";

const reshapingNodes = "Source/ComputationNetworkLib/ReshapingNodes.h";

type ReshapeAttributes = {
  readonly shape: SampleShape;
  readonly beginAxis: number;
  readonly endAxis: number;
};

/** Replaces the axes [beginAxis, endAxis) by `shape`, in which one dimension may be 0 (ReshapeNode::Validate). */
function reshapedShape(context: ShapeContext<ReshapeAttributes>): ShapeResult {
  const { node, attributes, isFinalPass } = context;
  const dynamicAxis = inferDynamicAxis(context);
  const input = at(context.inputs, 0).shape;
  const { shape: wanted, beginAxis, endAxis } = attributes;
  const replacement = [...wanted];
  let begin = beginAxis > 0 ? beginAxis - 1 : 0;
  let end = endAxis > 0 ? endAxis - 1 : input.length;
  if (!isFinalPass) {
    end = Math.min(end, input.length);
    begin = Math.min(begin, end);
  }
  const replaced = input.slice(begin, end);
  const unknown = replacement.indexOf(0);
  if (unknown >= 0 && replacement.indexOf(0, unknown + 1) >= 0) {
    throw shapeProblem(
      node,
      "shape-mismatch",
      `${describeShort(node)}: More than one dimension was specified as zero in the replacement (sub-)dimensions ` +
        `[${formatDims(wanted)}]`,
      "only one dimension can be inferred",
    );
  }
  if (unknown >= 0) {
    const known = elementCount(replacement.filter((dim) => dim !== 0));
    replacement[unknown] = Math.trunc(elementCount(replaced) / known);
  }
  const shape = [...input.slice(0, begin), ...replacement, ...input.slice(end)];
  if (isFinalPass && elementCount(shape) !== elementCount(input)) {
    throw shapeProblem(
      node,
      "shape-mismatch",
      `${describeShort(node)}: Input (sub-)dimensions [${formatDims(replaced)}] incompatible with desired ` +
        `(sub-)dimensions [${formatDims(wanted)}]. Number of elements ` +
        `${unknown < 0 ? "must be the same" : "is not an integer multiple of the non-0 dimensions"}.`,
      `[${formatDims(replaced)}] has ${elementCount(replaced)} elements`,
    );
  }
  return { shape, dynamicAxis };
}

const reshape = defineOp({
  name: "Reshape",
  // A vector that stays one is copied, which needs no other matrix.
  refusesSparse: ({ node, index, facts }) => {
    const [from, to] = [node.inputs[index], node].map((of) => of && facts(of)?.shape);
    const staysVector = from?.length === 1 && to?.length === 1;
    return staysVector ? undefined : { function: "Reshape", line: 1864 };
  },
  doc: "The same elements under another shape; one dimension may be 0 and is computed.",
  source: reshapingNodes,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {
    shape: { kind: "shape", doc: "What the axes are replaced by; 0 = computed." },
    beginAxis: { kind: "integer", doc: "First axis replaced, counted from 1; 0 = the first." },
    endAxis: { kind: "integer", doc: "The axis after the last one replaced; 0 = to the end." },
  },
  stored: {
    fields: [
      axisField("beginAxis", { otherwise: 0 }),
      axisField("endAxis", { otherwise: 0 }),
      field("shape", "shape", { otherwise: [] }),
    ],
  },
  differentiable: "yes",
  memory: memoryNone,
  shape: reshapedShape,
  gradient: ({ inputs, outputGradient, build }) => [
    build.reshape(outputGradient, build.facts(at(inputs, 0)).shape),
  ],
  lower: ({ inputs, output, emit }) => emit("copy", [at(inputs, 0)], output, {}),
});

/** An exchange of axes and the input's dimensions, extended by axes of 1 where needed. */
interface Exchange {
  readonly axes: readonly number[];
  readonly from: SampleShape;
}

/** The exchange of two axes, numbered from 0, for an input that is extended by axes of 1 where needed. */
function exchange(rank: number, axis1: number, axis2: number): readonly number[] {
  const axes = Array.from({ length: Math.max(rank, axis1, axis2) }, (_, axis) => axis);
  axes[axis1 - 1] = axis2 - 1;
  axes[axis2 - 1] = axis1 - 1;
  return axes;
}

const extended = (shape: SampleShape, rank: number): SampleShape => [
  ...shape,
  ...new Array<number>(Math.max(0, rank - shape.length)).fill(1),
];

const transposeDimensions = defineOp({
  name: "TransposeDimensions",
  aliases: ["Transpose"],
  doc: "Exchanges two axes; a vector [N] with axes 1 and 2 becomes [1 x N].",
  source: reshapingNodes,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {
    axis1: { kind: "integer", doc: "An axis, counted from 1." },
    axis2: { kind: "integer", doc: "The axis it is exchanged with." },
  },
  stored: {
    fields: [
      axisField("axis1", { since: 3, otherwise: 1 }),
      axisField("axis2", { since: 3, otherwise: 2 }),
      // A permutation is stored only where the two axes are both 0.
      field("permutation", "sizes", { since: 25, when: ({ axis1, axis2 }) => axis1 === 0 && axis2 === 0 }),
    ],
  },
  differentiable: "yes",
  memory: memoryNone,
  shape(context): ShapeResult<Exchange> {
    const { node, attributes } = context;
    const dynamicAxis = inferDynamicAxis(context);
    const input = at(context.inputs, 0).shape;
    const { axis1, axis2 } = attributes;
    // Of a value without axes CNTK expects a permutation.
    if (input.length === 0) {
      throw shapeProblem(
        node,
        "no-such-axis",
        `${describeShort(node)}: Cannot transpose via permutation and axes indices != 0`,
        `'${at(context.inputs, 0).node.name}' is a number without axes`,
      );
    }
    if (axis1 < 1 || axis2 < 1) {
      throw shapeProblem(
        node,
        "no-such-axis",
        `${describeShort(node)}: Indices to transpose must be >= 1.`,
        `axes ${axis1} and ${axis2} were given`,
      );
    }
    if (axis1 > input.length && axis2 > input.length) {
      throw shapeProblem(
        node,
        "no-such-axis",
        `${describeShort(node)}: At least one index must refer to an existing index.`,
        `axes ${axis1} and ${axis2} were given, the input is [${formatDims(input)}]`,
      );
    }
    checkAxis(context, Math.max(axis1, axis2));
    const axes = exchange(input.length, axis1, axis2);
    const from = extended(input, axes.length);
    return { shape: axes.map((axis) => at(from, axis)), dynamicAxis, details: { axes, from } };
  },
  gradient({ node, details: { axes, from }, inputs, outputGradient, build }) {
    // An exchange is its own inverse.
    const { dynamicAxis } = build.facts(node);
    const back = build.primitive("transpose", [outputGradient], { axes }, { shape: from, dynamicAxis });
    return [build.reshape(back, build.facts(at(inputs, 0)).shape)];
  },
  lower({ details: { axes, from }, inputs, output, emit }) {
    emit("transpose", [withDims(at(inputs, 0), from)], output, { axes });
  },
});

export const reshapingOperations: readonly OpDefinition[] = [reshape, transposeDimensions];
