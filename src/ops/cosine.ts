import { elementCount } from "../network/network.js";
import type { NetworkNode } from "../network/network.js";
import type { GraphBuilder, OpDefinition } from "../network/op-definition.js";
import { problem } from "./declared.js";
import { at, defineOp, describe, describeShort, memoryAll, memoryNone, shapeProblem } from "./define-op.js";
import { inferDynamicAxis, inferFromEachOther, scalarShape } from "./shape-rules.js";
import { refusesInputs } from "./sparse-data.js";

/*
 * Cosines of pairs of vectors, also of wrong pairs.
 */

const source = "Source/ComputationNetworkLib/LinearAlgebraNodes.h";

const cosDistance = defineOp({
  name: "CosDistance",
  refusesSparse: refusesInputs({
    0: { function: "VectorNorm2", line: 3555 },
    1: { function: "VectorNorm2", line: 3555 },
  }),
  doc: "a·b / (‖a‖‖b‖) for every sample.",
  source,
  inputs: [
    { name: "a", doc: "A vector." },
    { name: "b", doc: "A vector of the same length." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: {
    ...memoryAll,
    forwardTemporaries: [workspace(), workspace()],
    backwardTemporaries: [workspace()],
  },
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    inferFromEachOther(context);
    // CNTK takes the axis of one input for that of both, and stumbles where the second has none.
    if (dynamicAxis && !at(context.inputs, 1).dynamicAxis) {
      throw shapeProblem(
        context.node,
        "no-minibatch-data",
        `${describe(context.node)}: SetDims: MBLayout must be set first, before calling this function.`,
        `'${at(context.inputs, 1).node.name}' has no samples: give it as the first input`,
      );
    }
    return { shape: scalarShape, dynamicAxis };
  },
  expand: ({ node, build }) => cosine(build, at(node.inputs, 0), at(node.inputs, 1)),
});

function workspace() {
  return { size: 1, scaled: "output", workspace: true } as const;
}

/** Node: a·b / (‖a‖‖b‖) of every sample, as CNTK has it. */
function cosine(build: GraphBuilder, a: NetworkNode, b: NetworkNode): NetworkNode {
  const dot = (x: NetworkNode, y: NetworkNode): NetworkNode =>
    build.applyNamed("SumColumnElements", [build.applyNamed("ElementTimes", [x, y])]);
  const inverseNorm = (x: NetworkNode): NetworkNode =>
    build.applyNamed("Reciprocal", [build.applyNamed("Sqrt", [dot(x, x)])]);
  const scaled = build.applyNamed("ElementTimes", [dot(a, b), inverseNorm(a)]);
  return build.applyNamed("ElementTimes", [scaled, inverseNorm(b)]);
}

/** The columns of a minibatch moved round, whatever sequences they belong to; the gradient moves them back. */
const rotatedColumns: OpDefinition = defineOp({
  name: "RotatedColumns",
  doc: "Column c holds column c + steps of x, round the minibatch.",
  source: "Source/Math/CPUMatrixImpl.h, AssignElementProductOfWithShiftNeg",
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: { steps: { kind: "integer", doc: "Columns to move by." } },
  internal: true,
  differentiable: "yes",
  memory: memoryNone,
  shape: ({ inputs }) => ({ shape: at(inputs, 0).shape, dynamicAxis: at(inputs, 0).dynamicAxis }),
  gradient: ({ attributes: { steps }, outputGradient, build }) => [
    build.apply(rotatedColumns, [outputGradient], { steps: 0 - steps }),
  ],
  lower: ({ attributes: { steps }, inputs, output, emit }) =>
    emit("rotateColumns", inputs, output, { steps }),
});

/** The value of a constant that was written as one number. */
function constantValue(node: NetworkNode): number | undefined {
  const { learningRateMultiplier, init, initValue, value } = node.attributes;
  if (node.op.role !== "parameter" || learningRateMultiplier !== 0) return undefined;
  const given = init === "fixedValue" ? value : initValue;
  return typeof given === "number" ? given : undefined;
}

const cosDistanceWithNegativeSamples = defineOp({
  name: "CosDistanceWithNegativeSamples",
  // CPUMatrixImpl.h, InnerProductWithShiftNeg.
  refusesData: ([a]) =>
    a?.elements === 1
      ? {
          code: "sample-sizes",
          message: "InnerProduct: Both matrices should be normal ones, not vectors",
          hint: "the cosine of two numbers is 1 or −1; give vectors of two elements or more",
        }
      : undefined,
  refusesSparse: refusesInputs({
    0: { function: "VectorNorm2", line: 3555 },
    1: { function: "VectorNorm2", line: 3555 },
  }),
  doc:
    "The cosine of a and b, and below it those of a with b from other columns of the minibatch: neg of them, the first " +
    "`shift` columns away.",
  source,
  inputs: [
    { name: "a", doc: "A vector." },
    { name: "b", doc: "A vector of the same length." },
    { name: "shift", doc: "Columns between the true pair and the first negative one." },
    { name: "neg", doc: "Number of negative pairs: a constant." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: { ...memoryAll, forwardTemporaries: 4, backwardTemporaries: 2 },
  shape(context) {
    const { node, isFinalPass, inputs } = context;
    const dynamicAxis = inferDynamicAxis(context);
    inferFromEachOther(context);
    const [a, b, negatives] = [at(inputs, 0), at(inputs, 1), at(inputs, 3)];
    if (isFinalPass && (elementCount(a.shape) !== elementCount(b.shape) || a.dynamicAxis !== b.dynamicAxis)) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `The tensor dimension in the ${describeShort(node)} does not match.`,
      );
    }
    const value = constantValue(negatives.node);
    if ((isFinalPass && value === undefined) || elementCount(negatives.shape) !== 1) {
      throw problem(
        context,
        " expects a constant scalar for Input(3) which corresponds to number of negative samples.",
      );
    }
    return { shape: [Math.trunc(value ?? 0) + 1], dynamicAxis };
  },
  expand({ node, build }) {
    const [a, b, shift] = [at(node.inputs, 0), at(node.inputs, 1), at(node.inputs, 2)];
    const negatives = elementCount(build.facts(node).shape) - 1;
    const first = constantValue(shift) ?? 1;
    const others = Array.from({ length: negatives }, (_, index) =>
      cosine(build, a, build.apply(rotatedColumns, [b], { steps: first + index })),
    );
    return build.applyNamed("RowStack", [cosine(build, a, b), ...others], { axis: 1 });
  },
});

export const cosineOperations: readonly OpDefinition[] = [cosDistance, cosDistanceWithNegativeSamples];
