import type { NetworkNode } from "../../network/network.js";
import { type Emission, endOfAxis, noCounterpart, reversed } from "./emission.js";
import { integer, integers } from "./graph.js";
import type { OperationRules } from "./rules.js";
import { elementTypes } from "./schema.js";

/** The same elements under the dimensions that validation found. */
function toOwnShape(node: NetworkNode, emission: Emission): string {
  const x = emission.input(node, 0);
  return emission.reshape(emission.tensor(x), reversed(emission.shape(node)), emission.leads(x), node.name);
}

const list = (value: unknown): number[] => (Array.isArray(value) ? value : [value]).map(Number);

/** Operations that move elements. */
export const shapingRules: OperationRules = {
  Reshape: toOwnShape,
  LegacyReshape: toOwnShape,
  Slice(node, emission) {
    const { axis, beginIndex, endIndex } = emission.facts(node).attributes;
    const axes = list(axis ?? 1);
    if (axes.some((one) => one < 1)) throw noCounterpart(node, "along the samples");
    const lists = {
      starts: list(beginIndex),
      // An end of 0 is the end of the axis.
      ends: list(endIndex).map((index) => (index === 0 ? endOfAxis : index)),
      axes: axes.map((one) => -one),
    };
    const operands = Object.entries(lists).map(([name, values]) =>
      emission.graph.numbers(`${node.name}/${name}`, values),
    );
    return emission.add("Slice", [emission.tensor(emission.input(node, 0)), ...operands], node.name);
  },
  RowStack(node, emission) {
    const axis = Number(emission.facts(node).attributes["axis"]);
    const rank = emission.shape(node).length;
    const leads = emission.leads(node);
    const withSamples = node.inputs.find((input) => emission.leads(input) === leads);
    const inputs = node.inputs.map((input) => {
      const tensor = stackable(input, rank, emission);
      const own = emission.shape(input);
      // CNTK stretches what has one element along the other axes.
      const shape = emission.shape(node).map((dim, at) => (at === axis - 1 ? (own[at] ?? 1) : dim));
      const name = `${input.name}/in_${node.name}`;
      if (emission.leads(input) !== leads && withSamples)
        return emission.forEachSample(tensor, shape, withSamples, name);
      if (shape.every((dim, at) => dim === (own[at] ?? 1))) return tensor;
      const dims = [...new Array<number>(leads).fill(1), ...reversed(shape)];
      return emission.add("Expand", [tensor, emission.graph.numbers(`${name}/dims`, dims)], name);
    });
    return emission.add("Concat", inputs, node.name, { axis: integer(-axis) });
  },
  RowRepeat(node, emission) {
    const x = emission.input(node, 0);
    const { numRepeats } = emission.facts(node).attributes;
    const repeats = new Array<number>(emission.leads(x) + emission.shape(x).length).fill(1);
    // CNTK repeats the whole column, which lengthens its last axis.
    repeats[emission.leads(x)] = Number(numRepeats);
    const counts = emission.graph.numbers(`${node.name}/repeats`, repeats);
    return emission.add("Tile", [emission.tensor(x), counts], node.name);
  },
  TransposeDimensions(node, emission) {
    const x = emission.input(node, 0);
    const { axis1, axis2 } = emission.facts(node).attributes;
    const rank = emission.shape(node).length;
    const leads = emission.leads(x);
    const order = Array.from({ length: leads + rank }, (_, axis) => axis);
    const place = (axis: unknown): number => order.length - Number(axis);
    [order[place(axis1)], order[place(axis2)]] = [place(axis2), place(axis1)];
    return emission.add("Transpose", [stackable(x, rank, emission)], node.name, { perm: integers(order) });
  },
  /** The part of an image that lies where the reference does. */
  Crop(node, emission) {
    const { xOffset, yOffset } = emission.facts(node).attributes;
    const [width = 1, height = 1] = emission.shape(node);
    const [left, top] = [Math.trunc(Number(xOffset)), Math.trunc(Number(yOffset))];
    const lists = { starts: [left, top], ends: [left + width, top + height], axes: [-1, -2] };
    const operands = Object.entries(lists).map(([name, values]) =>
      emission.graph.numbers(`${node.name}/${name}`, values),
    );
    return emission.add("Slice", [emission.tensor(emission.input(node, 0)), ...operands], node.name);
  },
  ReduceElements: reduction,
  SumColumnElements(node, emission) {
    const x = emission.input(node, 0);
    const axes = emission.shape(x).map((_, axis) => -1 - axis);
    const sum = emission.reduce("ReduceSum", emission.tensor(x), axes, `${node.name}/reduced`);
    return emission.reshape(sum, reversed(emission.shape(node)), emission.leads(x), node.name);
  },
};

const reductions: Readonly<Record<string, string>> = {
  plus: "ReduceSum",
  sum: "ReduceSum",
  mean: "ReduceMean",
  max: "ReduceMax",
  min: "ReduceMin",
  logsum: "ReduceLogSumExp",
  prod: "ReduceProd",
  argmax: "ArgMax",
  argmin: "ArgMin",
};

/** `axis` 1 and up: that one; 0: all of a sample; -1: the samples too; -2: the frames of each sequence; -3: the samples alone. */
function reduction(node: NetworkNode, emission: Emission): string {
  const x = emission.input(node, 0);
  const { reductionOp, axis } = emission.facts(node).attributes;
  const operation = reductions[String(reductionOp).toLowerCase()];
  const along = Number(axis);
  if (operation === undefined) throw noCounterpart(node, `of the kind ${String(reductionOp)}`);
  const [rank, leads] = [emission.shape(x).length, emission.leads(x)];
  const { name } = node;
  const own = reversed(emission.shape(node));
  if (along === -2) return emission.reduce(operation, emission.tensor(x), [-rank - leads], name);
  if (operation.startsWith("Arg")) {
    if (along < 0) throw noCounterpart(node, "over the samples");
    return placeOfExtremum(node, emission, operation, along);
  }
  const inSample = Array.from({ length: rank }, (_, at) => -1 - at);
  const ofSamples = Array.from({ length: leads }, (_, at) => -rank - 1 - at);
  const axes =
    along > 0 ? [-along] : along === -3 ? ofSamples : along === 0 ? inSample : [...inSample, ...ofSamples];
  const reduced = emission.reduce(operation, emission.tensor(x), axes, `${name}/reduced`);
  return emission.reshape(reduced, own, emission.leads(node), name);
}

/** The place of the first largest or smallest element, as a number. */
function placeOfExtremum(node: NetworkNode, emission: Emission, operation: string, along: number): string {
  const x = emission.input(node, 0);
  const leads = emission.leads(x);
  const { name } = node;
  const tensor = emission.tensor(x);
  const laid = along === 0 ? emission.reshape(tensor, [-1], leads, `${name}/row`) : tensor;
  const axis = integer(along === 0 ? -1 : -along);
  const found = emission.add(operation, [laid], `${name}/place`, { axis, keepdims: integer(1) });
  const to = integer(elementTypes[emission.elementType]);
  const place = emission.add("Cast", [found], `${name}/number`, { to });
  return emission.reshape(place, reversed(emission.shape(node)), leads, name);
}

/** A tensor with axes of 1 up to a rank, parameters too. */
function stackable(node: NetworkNode, rank: number, emission: Emission): string {
  const own = emission.shape(node);
  if (own.length >= rank) return emission.tensor(node);
  const dims = [...new Array<number>(rank - own.length).fill(1), ...reversed(own)];
  return emission.reshape(emission.tensor(node), dims, emission.leads(node), `${node.name}/of_rank_${rank}`);
}
