import type { AttributesOf } from "../network/attributes.js";
import type { LoweringContext, OpDefinition, ShapeContext } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { at, defineOp, memoryNone, shapeProblem } from "./define-op.js";
import { randomEngine } from "./stored-parts.js";
import { takesSparse } from "./sparse-data.js";

/*
 * Drawing classes by weight, anew for every minibatch: sampled softmax and its kin.
 */

const declarations = {
  allowDuplicates: { kind: "boolean", doc: "May a class be drawn twice?" },
  sizeOfSampledSet: { kind: "integer", doc: "Classes drawn." },
} as const;

/** Checks that the sample can be drawn and returns the number of classes. */
function classesToDrawFrom(context: ShapeContext<AttributesOf<typeof declarations>>): number {
  const { node } = context;
  const { allowDuplicates, sizeOfSampledSet: size } = context.attributes;
  if (size === 0) throw shapeProblem(node, "empty-sample", "Number of requested samples is zero.");
  const classes = at(context.inputs, 0).shape[0] ?? 0;
  if (context.isFinalPass && !allowDuplicates && classes <= size) {
    throw shapeProblem(
      node,
      "sample-too-large",
      `For sampling without duplicates the number of requested samples (${size}) needs to be less than the number of ` +
        `classes (${classes}).`,
    );
  }
  return classes;
}

type SampleAttributes = AttributesOf<typeof declarations>;

/** Draws with the engine of the node's own name. */
const drawing =
  (result: "columns" | "frequencies") =>
  ({ node, attributes, inputs, output, emit }: LoweringContext<SampleAttributes>): void => {
    const { allowDuplicates, sizeOfSampledSet: size } = attributes;
    emit("drawClasses", [at(inputs, 0)], output, { engine: node.name, size, allowDuplicates, result });
  };

const sample = {
  source: "Source/ComputationNetworkLib/TrainingNodes.cpp",
  inputs: [{ name: "weights", doc: "A weight per class, not negative." }],
  attributes: declarations,
  stored: {
    fields: [
      field("allowDuplicates", "boolean", { otherwise: false }),
      field("size", "unsigned8", { attribute: "sizeOfSampledSet" }),
      ...randomEngine,
    ],
  },
  nonLooping: true,
  differentiable: "none",
  memory: { ...memoryNone, ownMatrix: true },
} as const;

const randomSample = defineOp({
  ...sample,
  name: "RandomSample",
  refusesSparse: takesSparse,
  doc: "One-hot columns of the classes drawn, [classes x sizeOfSampledSet], sparse.",
  shape: (context) => ({
    shape: [classesToDrawFrom(context), context.attributes.sizeOfSampledSet],
    dynamicAxis: null,
    // Sparse in CNTK; here it is dense, with a matrix of its own as there.
    storage: "dense",
  }),
  lower: drawing("columns"),
});

const inclusionFrequency = defineOp({
  ...sample,
  name: "RandomSampleInclusionFrequency",
  refusesSparse: takesSparse,
  doc: "How often each class is expected in such a sample; without duplicates an estimate.",
  shape: (context) => ({ shape: [classesToDrawFrom(context), 1], dynamicAxis: null }),
  lower: drawing("frequencies"),
});

export const randomSampleOperations: readonly OpDefinition[] = [randomSample, inclusionFrequency];
