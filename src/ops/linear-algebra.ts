import type { NetworkNode, NodeFacts, SampleShape, Storage } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { GradientContext, OpDefinition } from "../network/op-definition.js";
import type { StoredLayout } from "../network/stored-fields.js";
import { at, defineOp, formatDims, memoryInputs, shapeProblem } from "./define-op.js";
import { asMatrix } from "./lowering.js";
import { gradientPerSample, lowerPerSample, type ProductLowering } from "./product-per-sample.js";
import { type ProductAttributes, productShape, productSizes } from "./product-shape.js";
import { axisField } from "./stored-parts.js";
import { refusesFactors, refusesTransposedFactors } from "./sparse-data.js";

function lowerProduct(context: ProductLowering, transposed: boolean): void {
  const [a, b] = [at(context.inputs, 0), at(context.inputs, 1)];
  const { outputRank } = context.attributes;
  if (transposed && a.dims.length === 1 && a.axis === null) {
    // CNTK finds it when it computes.
    throw shapeProblem(
      context.node,
      "shape-mismatch",
      `DoMatrixProductOf: Ranks [${formatDims(a.dims)}]' * [${formatDims(b.dims)} x *] -> [1 x *] mismatch.`,
      "a vector cannot be transposed: give the left operand two dimensions",
    );
  }
  const { rows, inner } = productSizes(context.output.dims, a.dims, b.dims, outputRank);
  if (a.axis === null && a.storage === "dense") {
    const matrices = [asMatrix(a, transposed ? inner : rows), asMatrix(b, inner)];
    const parameters = { transposeA: transposed, transposeB: false };
    context.emit("matmul", matrices, asMatrix(context.output, rows), parameters);
    return;
  }
  lowerPerSample(context, transposed);
}

/** C = A·B: dA = dC·Bᵀ, dB = Aᵀ·dC; with A transposed dA = B·dCᵀ, dB = A·dC. */
function gradientOfProduct(
  context: GradientContext<ProductAttributes>,
  transposed: boolean,
): readonly (NetworkNode | null)[] {
  const { node, attributes, inputs, outputGradient, wants, build } = context;
  const [a, b] = [at(inputs, 0), at(inputs, 1)];
  const [aFacts, bFacts] = [build.facts(a), build.facts(b)];
  const { outputRank } = attributes;
  const sizes = productSizes(build.facts(node).shape, aFacts.shape, bFacts.shape, outputRank);
  const { rows, inner, columns } = sizes;
  if (aFacts.dynamicAxis) return gradientPerSample(context, transposed);
  const matmul = (
    [left, leftRows]: readonly [NetworkNode, number],
    [right, rightRows]: readonly [NetworkNode, number],
    parameters: { transposeA: boolean; transposeB: boolean },
    like: NodeFacts,
    storage: Storage = "dense",
  ): NetworkNode => {
    const asMatrix = (x: NetworkNode, height: number): SampleShape => [
      height,
      elementCount(build.facts(x).shape) / height,
    ];
    const views = { reads: [asMatrix(left, leftRows), asMatrix(right, rightRows)] };
    const { shape } = like;
    const dynamicAxis = parameters.transposeB ? null : build.facts(right).dynamicAxis;
    return build.primitive("matmul", [left, right], parameters, { shape, dynamicAxis, storage }, views);
  };
  const [g, aRows] = [[outputGradient, rows] as const, transposed ? inner : rows];
  const contracted = { transposeA: false, transposeB: true };
  const left = (): NetworkNode => {
    // A random sample is sparse in CNTK, whose columns are those that were drawn.
    if (b.op.name === "RandomSample" && !transposed) {
      return matmul(g, [b, inner], contracted, { ...aFacts, shape: [rows, inner] }, "touched");
    }
    if (bFacts.storage !== "sparse") {
      return transposed
        ? matmul([b, inner], g, contracted, aFacts)
        : matmul(g, [b, inner], contracted, aFacts);
    }
    // Sparse data touches only some columns of A; of a transposed A only some rows, for which there is no short form.
    if (!transposed && columns === 1) {
      // The columns that are touched are the last dimension.
      const shape = aFacts.shape.at(-1) === inner ? aFacts.shape : [rows, inner];
      return matmul(g, [b, inner], contracted, { ...aFacts, shape }, "touched");
    }
    const dense = build.primitive("toDense", [b], {}, { ...bFacts, storage: "dense" });
    return transposed
      ? matmul([dense, inner], g, contracted, aFacts)
      : matmul(g, [dense, inner], contracted, aFacts);
  };
  const right = (): NetworkNode =>
    matmul([a, aRows], g, { transposeA: !transposed, transposeB: false }, bFacts);
  return [wants(0) ? left() : null, wants(1) ? right() : null];
}

const attributes = {
  outputRank: { kind: "integer", doc: "Number of axes of A that the result keeps.", default: 1 },
  inferInputRankToMap: {
    kind: "integer",
    doc: "Number of trailing axes of B not to contract, when A's shape is to be extended; −1 = do not extend; −2 = contract the frames of each sequence as well.",
    default: -1,
  },
} as const;

const stored: StoredLayout = {
  fields: [
    axisField("outputRank", { since: 3, otherwise: 1 }, "unsigned8"),
    axisField("inferInputRankToMap", { since: 12, otherwise: -1 }),
  ],
};

const times = defineOp({
  name: "Times",
  refusesSparse: refusesFactors,
  doc:
    "Matrix product of tensors: the first outputRank axes of A are kept, the others are contracted with the first axes " +
    "of B. Unknown dimensions of A are inferred.",
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h",
  inputs: [
    { name: "A", doc: "Left operand, mostly a parameter." },
    { name: "B", doc: "Right operand." },
  ],
  attributes,
  stored,
  differentiable: "yes",
  sparseInputs: [1],
  memory: memoryInputs,
  shape: (context) => productShape(context, false),
  gradient: (context) => gradientOfProduct(context, false),
  lower: (context) => lowerProduct(context, false),
});

const transposeTimes = defineOp({
  name: "TransposeTimes",
  refusesSparse: refusesTransposedFactors,
  source: "Source/ComputationNetworkLib/LinearAlgebraNodes.h",
  doc: "Product of the transposed matrix A with B.",
  inputs: [
    { name: "A", doc: "A matrix; it is used transposed." },
    { name: "B", doc: "Right operand." },
  ],
  attributes,
  stored,
  differentiable: "yes",
  sparseInputs: [1],
  memory: memoryInputs,
  shape: (context) => productShape(context, true),
  gradient: (context) => gradientOfProduct(context, true),
  lower: (context) => lowerProduct(context, true),
});

export const linearAlgebraOperations: readonly OpDefinition[] = [times, transposeTimes];
