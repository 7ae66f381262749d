import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { problem } from "./declared.js";
import { at, defineOp, describe, memoryNone, shapeProblem } from "./define-op.js";
import { scalarShape } from "./shape-rules.js";
import { refusesTensor, takesSparse } from "./sparse-data.js";

/*
 * Nodes that change the dynamic axis: choosing frames (Where, PackedIndex, GatherPacked, ScatterPacked) and putting data
 * under the axis of another node.
 */

const source = "Source/ComputationNetworkLib/ReshapingNodes.cpp";

const where = defineOp({
  name: "Where",
  doc:
    "Indices of the frames whose flag is not 0, as a sequence under a new dynamic axis; a flag above 1 repeats its frame, " +
    "a fractional one does so on average.",
  source,
  inputs: [{ name: "flags", doc: "A sequence of numbers." }],
  attributes: {
    dynamicAxisName: {
      kind: "string",
      doc: "Name of the new axis; only a model file can give another.",
      // No member of that name: BrainScript has no say in it.
      member: "",
      default: "WhereNodeAxis",
    },
  },
  nonLooping: true,
  stored: {
    fields: [
      field("dynamicAxis", "wideText", {
        since: 11,
        attribute: "dynamicAxisName",
        otherwise: "WhereNodeAxis",
      }),
    ],
  },
  differentiable: "none",
  memory: { ...memoryNone, ownMatrix: true },
  shape(context) {
    const flags = at(context.inputs, 0);
    if (context.isFinalPass && !flags.dynamicAxis) {
      throw problem(
        context,
        " can only operate on minibatch data (which have a layout).",
        `'${flags.node.name}' has no samples`,
        "no-minibatch-data",
      );
    }
    const dynamicAxis = context.newDynamicAxis(context.attributes.dynamicAxisName);
    if (context.isFinalPass && elementCount(flags.shape) !== 1) {
      throw problem(
        context,
        " can only operate on scalar input.",
        `the flags have ${elementCount(flags.shape)} elements`,
      );
    }
    return { shape: scalarShape, dynamicAxis };
  },
  lower: ({ inputs, output, emit }) => emit("where", inputs, output, { empty: "refused" }),
});

/** A check of the index input that its users share. */
function requireScalarIndex(context: ShapeContext<object>, index: number): void {
  const { shape } = at(context.inputs, index);
  if (context.isFinalPass && elementCount(shape) !== 1) {
    throw problem(context, " requires the second argument (indexData) to be a scalar sequence.");
  }
}

/** All of the inputs must run along a dynamic axis. */
function requireMinibatchData(context: ShapeContext<object>, what: string): void {
  const missing = context.isFinalPass && context.inputs.find(({ dynamicAxis }) => !dynamicAxis);
  if (!missing) return;
  throw problem(
    context,
    ` requires ${what} to be minibatch data (must have MBLayouts).`,
    `'${missing.node.name}' has no samples`,
    "no-minibatch-data",
  );
}

const packedIndex = defineOp({
  name: "PackedIndex",
  refusesSparse: takesSparse,
  doc: "Turns indices within a sequence into columns of the minibatch of another node.",
  source,
  inputs: [
    { name: "layout", doc: "The node whose columns are meant." },
    { name: "index", doc: "Indices within its sequences." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "none",
  memory: { ...memoryNone, ownMatrix: true },
  shape(context) {
    const index = at(context.inputs, 1);
    requireMinibatchData(context, "both inputs");
    requireScalarIndex(context, 1);
    return { shape: index.shape, dynamicAxis: index.dynamicAxis };
  },
  sparseInputs: [0],
  lower: ({ inputs, output, emit }) => emit("packIndex", [at(inputs, 1), at(inputs, 0)], output, {}),
});

const gatherPacked = defineOp({
  name: "GatherPacked",
  refusesSparse: takesSparse,
  doc: "The columns of the source that a PackedIndex names, under the index's axis.",
  source,
  inputs: [
    { name: "index", doc: "Made by PackedIndex." },
    { name: "source", doc: "Where the columns come from; of a parameter, its last axis counts them." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  memory: { usesOutput: false, usesInputs: "first" },
  shape(context) {
    const { node, isFinalPass } = context;
    const [index, from] = [at(context.inputs, 0), at(context.inputs, 1)];
    if (isFinalPass && !index.dynamicAxis) {
      throw shapeProblem(
        node,
        "no-minibatch-data",
        `${describe(node)} requires first argument (index data) to have a time dimension.`,
        `'${index.node.name}' has no samples`,
      );
    }
    if (isFinalPass && elementCount(index.shape) !== 1) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        `${describe(node)} requires the first argument (index data) to be a scalar time sequence.`,
      );
    }
    if (from.dynamicAxis) return { shape: from.shape, dynamicAxis: index.dynamicAxis };
    return {
      shape: from.shape.length > 1 ? from.shape.slice(0, -1) : scalarShape,
      dynamicAxis: index.dynamicAxis,
    };
  },
  gradient({ inputs, outputGradient, wants, build }) {
    const [index, from] = [at(inputs, 0), at(inputs, 1)];
    if (!wants(1)) return [null, null];
    const { shape, dynamicAxis } = build.facts(from);
    return [null, build.primitive("scatter", [index, outputGradient, from], {}, { shape, dynamicAxis })];
  },
  lower: ({ inputs, output, emit }) => emit("gather", inputs, output, {}),
});

const scatterPacked = defineOp({
  name: "ScatterPacked",
  refusesSparse: takesSparse,
  doc: "The reverse of GatherPacked: puts frames at their places under the layout's axis, zeros elsewhere.",
  source,
  inputs: [
    { name: "layout", doc: "The node whose axis the result has." },
    { name: "index", doc: "Made by PackedIndex." },
    { name: "source", doc: "The frames, under the index's axis." },
  ],
  attributes: {},
  nonLooping: true,
  differentiable: "yes",
  memory: { usesOutput: false, usesInputs: [1] },
  shape(context) {
    requireMinibatchData(context, "all inputs");
    requireScalarIndex(context, 1);
    return { shape: at(context.inputs, 2).shape, dynamicAxis: at(context.inputs, 0).dynamicAxis };
  },
  sparseInputs: [0],
  gradient({ inputs, outputGradient, wants, build }) {
    if (!wants(2)) return [null, null, null];
    const source = at(inputs, 2);
    const { shape, dynamicAxis } = build.facts(source);
    // The index may run along an axis of its own, of the same layout.
    const likeSource = { shape: [1], dynamicAxis };
    const place = build.primitive("reconcile", [at(inputs, 1), source], { repeats: false }, likeSource);
    return [null, null, build.primitive("gather", [place, outputGradient], {}, { shape, dynamicAxis })];
  },
  lower({ inputs, output, emit, temporary }) {
    const [layout, index, source] = [at(inputs, 0), at(inputs, 1), at(inputs, 2)];
    let place = index;
    if (index.axis !== source.axis) {
      place = temporary(index.dims, source.axis);
      emit("reconcile", [index, source], place, { repeats: false });
    }
    emit("scatter", [place, source, layout], output, {});
  },
});

const reconcileDynamicAxis = defineOp({
  name: "ReconcileDynamicAxis",
  refusesSparse: refusesTensor(0),
  aliases: ["ReconcileMBLayout"],
  doc:
    "The data under the dynamic axis of another node of the same layout, which is checked when it runs; data without an " +
    "axis, or sequences of one step, are repeated.",
  source: "Source/ComputationNetworkLib/ReshapingNodes.h",
  inputs: [
    { name: "data", doc: "Any shape." },
    { name: "layout", doc: "The node whose axis the result has." },
  ],
  attributes: {},
  differentiable: "yes",
  memory: {
    ...memoryNone,
    forwardTemporaries: [{ size: 1, scaled: "output" }],
    releasedForward: true,
    backwardTemporaries: [
      { size: 1, scaled: "output" },
      { size: "output", scaled: "output" },
    ],
  },
  shape(context) {
    const [data, like] = [at(context.inputs, 0), at(context.inputs, 1)];
    if (context.isFinalPass && !like.dynamicAxis) {
      throw problem(
        context,
        " requires that the second argument has a dynamic axis.",
        `'${like.node.name}' has no samples`,
        "no-minibatch-data",
      );
    }
    return { shape: data.shape, dynamicAxis: like.dynamicAxis };
  },
  sparseInputs: [1],
  gradient({ inputs, outputGradient, wants, build }) {
    const data = at(inputs, 0);
    if (!wants(0)) return [null, null];
    const { shape, dynamicAxis } = build.facts(data);
    // Data without an axis of its own is summed over the columns like everything that was stretched.
    if (dynamicAxis === null) return [outputGradient, null];
    const operands = [outputGradient, data];
    return [build.primitive("reconcileGradient", operands, {}, { shape, dynamicAxis }), null];
  },
  lower: ({ inputs, output, emit }) => emit("reconcile", inputs, output, { repeats: true }),
});

export const dynamicAxisOperations: readonly OpDefinition[] = [
  where,
  packedIndex,
  gatherPacked,
  scatterPacked,
  reconcileDynamicAxis,
];
