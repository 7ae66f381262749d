import type { AttributesOf } from "../network/attributes.js";
import type { SampleShape } from "../network/network.js";
import { elementCount } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field, type StoredLayout } from "../network/stored-fields.js";
import type { Operand } from "../primitives/instruction.js";
import { checkAxis, problem } from "./declared.js";
import { at, defineOp, formatDims, memoryNone } from "./define-op.js";
import { flat } from "./lowering.js";
import { inferDynamicAxis, refusedView } from "./shape-rules.js";
import { axisField } from "./stored-parts.js";
import { refusesInputs } from "./sparse-data.js";

/*
 * Parts of a tensor, and tensors put together. Axes count from 1.
 */

const source = "Source/ComputationNetworkLib/ReshapingNodes.h";

/** What a model file may hold: one range, or several of different axes. */
type SliceAttributes = {
  readonly axis: number | readonly number[];
  readonly beginIndex: number | readonly number[];
  readonly endIndex: number | readonly number[];
};

/** A range [begin, end) of an axis as written. */
interface SliceRange {
  readonly axis: number;
  readonly beginIndex: number;
  readonly endIndex: number;
}

/** What a range comes to: axes count from 0 here. */
interface Cut {
  readonly axis: number;
  readonly begin: number;
  /** The shape once it is cut. */
  readonly shape: SampleShape;
}

function sliceRanges({ axis, beginIndex, endIndex }: SliceAttributes): SliceRange[] {
  const listed = (value: number | readonly number[]): readonly number[] =>
    typeof value === "number" ? [value] : value;
  const [begins, ends] = [listed(beginIndex), listed(endIndex)];
  return listed(axis).map((own, index) => ({
    axis: own,
    beginIndex: begins[index] ?? 0,
    endIndex: ends[index] ?? 0,
  }));
}

/** Negative begins, and ends of 0 or less, count from the end (SliceNode::Validate). */
function slicedShape(context: ShapeContext<SliceAttributes>): ShapeResult<readonly Cut[]> {
  const dynamicAxis = inferDynamicAxis(context);
  let { shape } = at(context.inputs, 0);
  const details = sliceRanges(context.attributes).map((range, index) => {
    const cut = narrowed(context, shape, range, index);
    ({ shape } = cut);
    return cut;
  });
  return { shape, dynamicAxis, details };
}

function narrowed(
  context: ShapeContext<SliceAttributes>,
  shape: SampleShape,
  { axis, beginIndex, endIndex }: SliceRange,
  index: number,
): Cut {
  const { isFinalPass } = context;
  if (axis < 1 || (isFinalPass && axis > shape.length)) {
    throw problem(
      context,
      `: axis parameter ${index} (${axis}) must be in range 1..rank of input ([${formatDims(shape)}]).`,
      undefined,
      "no-such-axis",
    );
  }
  const dim = shape[axis - 1];
  const unknown = { axis: axis - 1, begin: 0, shape };
  if (dim === undefined) return unknown;
  const begin = beginIndex >= 0 ? beginIndex : beginIndex + dim;
  const end = endIndex > 0 ? endIndex : endIndex + dim;
  // CNTK compares unsigned numbers: a negative index is a huge one.
  const fits = begin >= 0 && end >= 0 && begin <= end && end <= dim;
  if (!fits && isFinalPass) {
    throw problem(
      context,
      `: Index range [${beginIndex},${endIndex}), interpreted as [${begin},${end}), is invalid for input ` +
        `([${formatDims(shape)}]).`,
      `axis ${axis} has ${dim} elements`,
    );
  }
  if (!fits) return unknown;
  if (begin === end) {
    throw problem(context, ": Invalid bounds parameter, dimensions must be at least one.");
  }
  return { axis: axis - 1, begin, shape: shape.map((own, k) => (k === axis - 1 ? end - begin : own)) };
}

/** A file keeps begin and length, a node begin and end; one axis is a number, several are lists. */
const storedSlice: StoredLayout = {
  fields: [
    field("slices", "groups", {
      countedSince: 22,
      fields: [
        field("begin", "signed8"),
        field("length", "signed8"),
        axisField("axis", { since: 3, otherwise: 1 }),
      ],
      valid: (slices) => Array.isArray(slices) && slices.length >= 1,
    }),
  ],
  attributes(_plain, { slices }) {
    const ranges = slices as readonly { begin: number; length: number; axis: number }[];
    const lists = {
      beginIndex: ranges.map(({ begin }) => Number(begin)),
      endIndex: ranges.map(({ begin, length }) => Number(begin) + Number(length)),
      axis: ranges.map(({ axis }) => axis),
    };
    if (ranges.length !== 1) return lists;
    return { beginIndex: lists.beginIndex[0], endIndex: lists.endIndex[0], axis: lists.axis[0] };
  },
  toFields(_plain, { beginIndex, endIndex, axis }) {
    const list = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).map(Number);
    const [begins, ends, axes] = [list(beginIndex), list(endIndex), list(axis ?? 1)];
    return {
      slices: begins.map((begin, i) => ({ begin, length: (ends[i] ?? 0) - begin, axis: axes[i] ?? 1 })),
    };
  },
};

const slice = defineOp({
  name: "Slice",
  aliases: ["RowSlice"],
  doc: "The elements beginIndex … endIndex−1 along an axis.",
  source,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: {
    axis: { kind: "integers", doc: "The axis that is cut." },
    endIndex: { kind: "integers", doc: "The index after the last one; 0 or negative: counted from the end." },
    beginIndex: { kind: "integers", doc: "The first index; negative: counted from the end." },
  },
  stored: storedSlice,
  differentiable: "yes",
  memory: memoryNone,
  shape: slicedShape,
  gradient({ details: cuts, inputs, outputGradient, build }) {
    const { shape: whole, dynamicAxis } = build.facts(at(inputs, 0));
    const gradient = [...cuts].reverse().reduce((inner, { axis, begin }, index) => {
      const shape = cuts[cuts.length - index - 2]?.shape ?? whole;
      return build.primitive("pad", [inner], { axis, begin }, { shape, dynamicAxis });
    }, outputGradient);
    return [gradient];
  },
  lower({ details: cuts, inputs, output, emit, temporary }) {
    cuts.reduce(
      (from, { axis, begin, shape }, index) => {
        const to = index === cuts.length - 1 ? output : temporary(shape, output.axis);
        emit("slice", [from], to, { axis, begin });
        return to;
      },
      at(inputs, 0),
    );
  },
});

/** The sum of the dimensions along the axis; the others are broadcast to each other (RowStackNode::Validate). */
function stackedShape(context: ShapeContext<{ readonly axis: number }>): ShapeResult {
  const { inputs, isFinalPass } = context;
  const dynamicAxis = inferDynamicAxis(context);
  checkAxis(context, context.attributes.axis);
  const axis = context.attributes.axis - 1;
  const rank = Math.max(axis + 1, ...inputs.map(({ shape }) => shape.length));
  const padded = (shape: SampleShape): number[] => Array.from({ length: rank }, (_, k) => shape[k] ?? 1);
  const dims = padded(at(inputs, 0).shape);
  dims[axis] = 0;
  for (const input of inputs) {
    padded(input.shape).forEach((dim, k) => {
      const known = at(dims, k);
      if (k === axis) dims[k] = known + dim;
      else if (isFinalPass && dim !== known && dim !== 1 && known !== 1) {
        throw problem(
          context,
          `: Conflicting dimension ${k} between ${input.node.name} ${input.node.op.name} operation (${dim}) ` +
            `and other(s) (${known})`,
          `joined along axis ${axis + 1}, the inputs must agree along axis ${k + 1}`,
        );
      } else if (known === 1) dims[k] = dim;
    });
  }
  return { shape: dims, dynamicAxis };
}

const rowStack = defineOp({
  name: "RowStack",
  doc: "Joins its inputs along an axis, which may be a new one; other axes may be 1 in some of them.",
  source,
  inputs: [{ name: "x", doc: "Shapes that agree but for the axis." }],
  variadic: true,
  attributes: { axis: { kind: "integer", doc: "The axis along which the inputs are joined." } },
  stored: { fields: [axisField("axis", { since: 3, otherwise: 1 })] },
  differentiable: "yes",
  gradientDiffers: "what stands in the gaps behind shorter sequences counts for an input without samples",
  countsGaps: true,
  memory: memoryNone,
  shape: stackedShape,
  gradient({ attributes, inputs, outputGradient, wants, build }) {
    const axis = attributes.axis - 1;
    const { shape, dynamicAxis } = build.facts(outputGradient);
    let begin = 0;
    return inputs.map((input, index) => {
      const own = build.facts(input).shape[axis] ?? 1;
      const range = { axis, begin };
      begin += own;
      if (!wants(index)) return null;
      const part = shape.map((dim, k) => (k === axis ? own : dim));
      return build.primitive("slice", [outputGradient], range, { shape: part, dynamicAxis });
    });
  },
  lower({ attributes, inputs, output, emit }) {
    emit("concatenate", inputs, output, { axis: attributes.axis - 1 });
  },
});

const rowRepeat = defineOp({
  name: "RowRepeat",
  refusesData: ([x], { facts }) =>
    x && !x.hasDynamicAxis && x.shape.length > 1 && facts?.attributes["numRepeats"] !== 1
      ? refusedView
      : undefined,
  refusesSparse: refusesInputs({ 0: { function: "AssignRepeatOf", line: 2166 } }),
  doc: "Repeats each sample numRepeats times: the last dimension is multiplied.",
  source,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: { numRepeats: { kind: "integer", doc: "How often." } },
  stored: { fields: [field("numRepeats", "unsigned8", { otherwise: 1 })] },
  differentiable: "yes",
  validatingSuffix: ({ numRepeats }) => `, numRepeats=${numRepeats}`,
  shape(context) {
    const dynamicAxis = inferDynamicAxis(context);
    const shape = [...at(context.inputs, 0).shape];
    const last = shape.pop();
    if (last === undefined) return { shape, dynamicAxis };
    return { shape: [...shape, last * context.attributes.numRepeats], dynamicAxis };
  },
  memory: memoryNone,
  gradient({ attributes: { numRepeats }, inputs, outputGradient, build }) {
    const { shape, dynamicAxis } = build.facts(at(inputs, 0));
    const repeats = build.reshape(outputGradient, [elementCount(shape), numRepeats]);
    return [build.reshape(build.reduceTo(repeats, [elementCount(shape), 1], dynamicAxis), shape)];
  },
  lower({ attributes: { numRepeats }, inputs, output, emit }) {
    const repeats = new Array<Operand>(numRepeats).fill(flat(at(inputs, 0)));
    emit("concatenate", repeats, flat(output), { axis: 0 });
  },
});

const legacyReshapeDeclarations = {
  imageLayout: { kind: "string", doc: "CHW or HWC." },
  imageChannels: { kind: "integer", doc: "Channels; 0 = computed." },
  imageHeight: { kind: "integer", doc: "Height; 0 = computed." },
  imageWidth: { kind: "integer", doc: "Width; 0 = computed." },
  numRows: { kind: "integer", doc: "Height of the columns." },
  shape: { kind: "shape", doc: "The image as it is stored, in the order of the layout.", computed: true },
} as const;

type LegacyReshapeAttributes = AttributesOf<typeof legacyReshapeDeclarations>;

/** Channels, width and height, of which one may be 0 and is computed (LegacyReshapeNode::InferTargetSampleLayout). */
function imageShape(context: ShapeContext<LegacyReshapeAttributes>): SampleShape {
  const { numRows: rows } = context.attributes;
  const sides = targetShape(context.attributes);
  const known = sides.filter((side) => side > 0);
  if (known.length === 0) return [1, rows, 1];
  if (known.length === 1) {
    throw problem(context, ": At least two image dimensions must be specified.");
  }
  const product = elementCount(known);
  if (known.length === 3) {
    if (product !== rows) throw problem(context, ": Image dimensions do not match row size.");
    return sides;
  }
  if (rows % product !== 0) {
    throw problem(context, ": Image row size is not a multiple of specified image dimensions.");
  }
  return sides.map((side) => (side > 0 ? side : rows / product));
}

/** The image dimensions in the order of the layout: of a model file or an earlier pass, or else as written. */
function targetShape(attributes: LegacyReshapeAttributes): SampleShape {
  if (attributes.shape !== undefined) return attributes.shape;
  const { imageLayout, imageWidth: width, imageHeight: height, imageChannels: channels } = attributes;
  const channelsFirst = imageLayout === "HWC" || imageLayout === "legacy";
  return channelsFirst ? [channels, width, height] : [width, height, channels];
}

const legacyReshape = defineOp({
  name: "LegacyReshape",
  refusesSparse: refusesInputs({ 0: { function: "Reshape", line: 1864 } }),
  doc: "Deprecated: columns of another height. Where the height changes, so does the number of time steps.",
  source,
  inputs: [{ name: "x", doc: "Any shape." }],
  attributes: legacyReshapeDeclarations,
  stored: {
    fields: [
      field("rows", "unsigned8", { attribute: "numRows", otherwise: 0 }),
      field("shape", "legacyShape"),
    ],
    // The layout is that of the shape.
    attributes(plain, { shape }) {
      const [imageWidth = 0, imageHeight = 0, imageChannels = 0] = shape as readonly number[];
      return { ...plain, imageLayout: "CHW", imageWidth, imageHeight, imageChannels };
    },
  },
  differentiable: "yes",
  memory: memoryNone,
  validatingSuffix(attributes) {
    const [channels = 0, width = 0, height = 0] = targetShape(attributes);
    // The bracket is CNTK's.
    return `, NumOfRows=${attributes.numRows}, imageWidth=${width}, imageHeight=${height}, imageChannels=${channels})`;
  },
  shape(context) {
    const input = at(context.inputs, 0);
    const { numRows: rows } = context.attributes;
    const inputRows = elementCount(input.shape);
    const factor = Math.trunc(rows > inputRows ? rows / inputRows : inputRows / rows);
    const dynamicAxis =
      factor === 1 || !input.dynamicAxis ? input.dynamicAxis : context.newDynamicAxis(context.node.name);
    if (!dynamicAxis && context.isFinalPass) {
      const own = input.shape[0] ?? 1;
      if ((rows > own && rows % own !== 0) || (rows < own && own % rows !== 0)) {
        throw problem(
          context,
          `: output row dimension ${rows} is not an integer multiple or divisor of input dimension ${own}`,
        );
      }
    }
    const shape = imageShape(context);
    return { shape, dynamicAxis, attributes: { ...context.attributes, shape } };
  },
  gradient: ({ inputs, outputGradient, build }) => [
    build.reshape(outputGradient, build.facts(at(inputs, 0)).shape),
  ],
  lower(context) {
    const x = at(context.inputs, 0);
    if (elementCount(x.dims) !== elementCount(context.output.dims)) {
      throw problem(
        context,
        ": changing the number of time steps is not available yet",
        `samples of ${elementCount(x.dims)} elements cannot become columns of ${elementCount(context.output.dims)}`,
        "not-available",
      );
    }
    context.emit("copy", [x], context.output, {});
  },
});

export const slicingOperations: readonly OpDefinition[] = [slice, rowStack, rowRepeat, legacyReshape];
