import type { NetworkNode } from "../network/network.js";
import type { OpDefinition, ShapeContext, ShapeResult } from "../network/op-definition.js";
import { field } from "../network/stored-fields.js";
import { at, defineOp, shapeProblem } from "./define-op.js";
import { inferDynamicAxis } from "./shape-rules.js";
import { windowDetailsOf } from "../network/window-details.js";

/*
 * Crop, and how it finds its offset: along the first two axes every convolution, pooling, … maps positions of its input to
 * positions of its result; from a common ancestor (or from two nodes said to be equivalent) down to both inputs the maps
 * add up to a shift (CropNode::ComputeCropOffsets; ComputationNode.h, SpaceTransform).
 */

/** position in the result = scale · position in the input + translate, for the first two axes. */
interface AxisMap {
  readonly scale: number;
  readonly translate: number;
}
type SpaceMap = readonly [AxisMap, AxisMap];

const same: AxisMap = { scale: 1, translate: 0 };
const identity: SpaceMap = [same, same];

/** `outer` after `inner`. */
function after(outer: SpaceMap, inner: SpaceMap): SpaceMap {
  const along = (axis: 0 | 1): AxisMap => {
    const [second, first] = [outer[axis], inner[axis]];
    return {
      scale: second.scale * first.scale,
      translate: second.scale * first.translate + second.translate,
    };
  };
  return [along(0), along(1)];
}

function inverse(map: SpaceMap): SpaceMap {
  const along = ({ scale, translate }: AxisMap): AxisMap => ({
    scale: 1 / scale,
    translate: -translate / scale,
  });
  return [along(map[0]), along(map[1])];
}

/** Operations that leave positions where they are, whichever input they come from. */
const keepsPositions = new Set(
  (
    "Abs Cosine Sin Exp Floor Log Negate Pass LabelsToGraph Reciprocal RectifiedLinear Sigmoid StableSigmoid Sqrt Tanh " +
    "Plus Minus ElementTimes LogPlus Equal NotEqual Less LessEqual Greater GreaterEqual"
  ).split(" "),
);

/** From positions of windows to those of the kernels' centers; the padding counts without sign in CNTK. */
function windowMap(context: ShapeContext<object>, node: NetworkNode): SpaceMap {
  const details = context.detailsOf(node);
  if (!details) return identity;
  const { geometry } = windowDetailsOf({ details });
  const along = (axis: 0 | 1): AxisMap => {
    const center = Math.trunc((at(geometry.kernel, axis) - 1) / 2) + at(geometry.start, axis);
    return { scale: at(geometry.stride, axis), translate: center < 0 ? center + 2 ** 64 : center };
  };
  return [along(0), along(1)];
}

/** The maps of a node by input, for those inputs that positions can be followed to. */
function mapsOf(
  context: ShapeContext<object>,
  node: NetworkNode,
): readonly (readonly [NetworkNode, SpaceMap])[] {
  const name = node.op.name;
  const only = (index: number, map: SpaceMap) => [[at(node.inputs, index), map] as const];
  if (keepsPositions.has(name)) return node.inputs.map((input) => [input, identity] as const);
  switch (name) {
    case "InputValue":
    case "LearnableParameter":
      return [];
    case "Convolution": {
      const map = windowMap(context, node);
      return only(1, node.attributes["transpose"] === true ? map : inverse(map));
    }
    case "Pooling":
      return only(0, inverse(windowMap(context, node)));
    case "MaxUnpooling":
      return only(0, windowMap(context, node));
    case "BatchNormalization":
      return only(0, identity);
    case "Crop": {
      const offsets = context.detailsOf(node) as Offsets | undefined;
      const shift = (offset: number): AxisMap => ({ scale: 1, translate: -offset });
      return only(0, offsets ? [shift(offsets.x), shift(offsets.y)] : identity);
    }
    default:
      throw shapeProblem(
        context.node,
        "crop-path",
        "Node does not support affine transform for cropping.",
        `positions cannot be followed through '${node.name}' (${name})`,
      );
  }
}

/** Where the part begins. */
interface Offsets {
  readonly x: number;
  readonly y: number;
}

const isGiven = (offset: number): boolean => offset < Number.MAX_VALUE;

/** Follows positions from both inputs upwards until the paths meet. */
function computedOffsets(context: ShapeContext<object>): Offsets {
  const [x, reference, equivalent1, equivalent2] = context.inputs.map(({ node }) => node);
  const fail = (message: string): Error => shapeProblem(context.node, "crop-path", message);
  if (!x || !reference) throw new Error("a Crop has two inputs");
  const fromX = new Map([[x, identity]]);
  const fromReference = new Map([[reference, identity]]);
  const followed = (node: NetworkNode, maps: Map<NetworkNode, SpaceMap>): NetworkNode[] => {
    const own = maps.get(node) ?? identity;
    return mapsOf(context, node).flatMap(([input, map]) => {
      const total = after(own, map);
      const known = maps.get(input);
      if (!known) {
        maps.set(input, total);
        return [input];
      }
      const agrees = [0, 1].every((axis) => {
        const [a, b] = [at(known, axis), at(total, axis)];
        return a.scale === b.scale && a.translate === b.translate;
      });
      if (!agrees) throw fail("Different transforms along different paths in Crop node.");
      return [];
    });
  };
  const pending = [x];
  for (let node = pending.pop(); node; node = pending.pop()) pending.push(...followed(node, fromX));
  pending.push(reference);
  for (let node = pending.pop(); node; node = pending.pop()) {
    const isEquivalent = node === equivalent2 && equivalent1 !== undefined;
    const met = fromX.get(node) ?? (isEquivalent ? fromX.get(equivalent1) : undefined);
    if (!met) {
      pending.push(...followed(node, fromReference));
      continue;
    }
    const shift = after(fromReference.get(node) ?? identity, inverse(met));
    if (shift.some(({ scale }) => scale !== 1)) {
      throw fail("Composite transform has non 1 scale in crop node.");
    }
    if (shift.some(({ translate }) => translate > 0)) {
      throw fail("Composite transform has positive translate (negative offset) in crop node.");
    }
    return { x: -shift[0].translate, y: -shift[1].translate };
  }
  throw fail("Connected path between crop inputs not found. Unable to compute crop offsets.");
}

const crop = defineOp({
  name: "Crop",
  doc:
    "The part of x at an offset, as wide and high as the reference; without an offset it follows from how the network " +
    "leads from a common ancestor, or from the two equivalence nodes, to both.",
  source: "Source/ComputationNetworkLib/ReshapingNodes.cpp",
  inputs: [
    { name: "x", doc: "An image, at least two axes." },
    { name: "reference", doc: "Gives the first two dimensions of the result." },
    { name: "equivalence1", doc: "Ancestor of x that lies like equivalence2.", optional: true },
    { name: "equivalence2", doc: "Ancestor of the reference.", optional: true },
  ],
  attributes: {
    xOffset: { kind: "number", doc: "First column kept; absent = computed.", default: Number.MAX_VALUE },
    yOffset: { kind: "number", doc: "First row kept; absent = computed.", default: Number.MAX_VALUE },
  },
  stored: {
    fields: [field("xOffset", "float8", { otherwise: NaN }), field("yOffset", "float8", { otherwise: NaN })],
  },
  differentiable: "yes",
  gradientDiffers:
    "the gradient of x replaces what other consumers of x contributed before, instead of being added",
  overwritesGradient: () => [true, false, false, false],
  shape(context): ShapeResult<Offsets | undefined> {
    const { node, inputs, attributes, isFinalPass } = context;
    if (inputs.length === 3) {
      throw shapeProblem(node, "input-count", "Crop node must have 2 or 4 node inputs.");
    }
    const dynamicAxis = inferDynamicAxis(context);
    const [x, reference] = [at(inputs, 0).shape, at(inputs, 1).shape];
    if (x.length < 2 || reference.length < 2) {
      throw shapeProblem(
        node,
        "shape-mismatch",
        "Crop input samples must have at least two dimensions.",
        `they are [${x.join(" x ")}] and [${reference.join(" x ")}]`,
      );
    }
    const shape = [at(reference, 0), at(reference, 1), ...x.slice(2)];
    if (!isFinalPass) return { shape, dynamicAxis, details: undefined };
    const { xOffset, yOffset } = attributes;
    const given = isGiven(xOffset) && isGiven(yOffset);
    const offsets = given ? { x: xOffset, y: yOffset } : computedOffsets(context);
    for (const [axis, name] of [
      [0, "x"],
      [1, "y"],
    ] as const) {
      if (at(x, axis) >= at(shape, axis) + offsets[name]) continue;
      throw shapeProblem(
        node,
        "shape-mismatch",
        `Input is small to be cropped along ${name} dimension in crop node.`,
        `${at(shape, axis)} from ${offsets[name]} on do not fit into ${at(x, axis)}`,
      );
    }
    const completed = { ...attributes, xOffset: offsets.x, yOffset: offsets.y };
    return { shape, dynamicAxis, attributes: completed, details: offsets };
  },
  gradient({ details, inputs, outputGradient, wants, build }) {
    if (!wants(0) || !details) return [null, null, null, null];
    const { shape, dynamicAxis } = build.facts(at(inputs, 0));
    const [, height = 1, ...rest] = build.facts(outputGradient).shape;
    const wide = { shape: [at(shape, 0), height, ...rest], dynamicAxis };
    const first = { axis: 0, begin: Math.trunc(details.x) };
    const second = { axis: 1, begin: Math.trunc(details.y) };
    const padded = build.primitive("pad", [outputGradient], first, wide);
    return [build.primitive("pad", [padded], second, { shape, dynamicAxis }), null, null, null];
  },
  lower({ details, inputs, output, emit, temporary }) {
    if (!details) throw new Error("the Crop has no offsets yet");
    const x = at(inputs, 0);
    const [width = 1] = output.dims;
    const narrow = temporary([width, ...x.dims.slice(1)], x.axis);
    emit("slice", [x], narrow, { axis: 0, begin: Math.trunc(details.x) });
    emit("slice", [narrow], output, { axis: 1, begin: Math.trunc(details.y) });
  },
});

export const croppingOperations: readonly OpDefinition[] = [crop];
