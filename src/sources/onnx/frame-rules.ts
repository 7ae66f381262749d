import type { NodeValue, OperationImport } from "./graph-import.js";

/*
 * Parts of sequences. What CNTK makes of them are sequences again, on a dynamic axis of their own.
 */

/** Slices end at least there: the end of the axis. */
export const farEnd = 2 ** 31 - 1;

/** Is an axis of ONNX's, counted from the front, that of time? */
export const isTime = (axis: number, { leads, isSwapped = false }: NodeValue): boolean =>
  leads === 2 && axis === (isSwapped ? 1 : 0);

/** The first or the last few frames: those that a delay of zeros beyond the end of the sequence marks. */
export function framesAtEnd(
  operation: OperationImport,
  x: NodeValue,
  end: "first" | "last",
  count: number,
): NodeValue {
  const { name } = operation;
  const none = operation.add(
    "ElementTimes",
    [x, operation.scalar(0, `${name}/zero`)],
    x.dims,
    {},
    `${name}/none`,
  );
  const sum = { reductionOp: "Sum", axis: 0, keepDimensions: false };
  const zeros = operation.add("ReduceElements", [none], [], sum, `${name}/zeros`);
  const delay = { timeStep: count, shape: [1], defaultHiddenActivation: 1 };
  const kind = end === "first" ? "PastValue" : "FutureValue";
  const flags = operation.add(kind, [zeros], [], delay, `${name}/flags`);
  const places = operation.add("Where", [flags], [], {}, `${name}/places`);
  const index = operation.add("PackedIndex", [x, places], [], {}, `${name}/index`);
  return operation.add("GatherPacked", [index, x], x.dims);
}

/** The frames of a slice along time, if it takes them from one end. */
export function slicedFrames(
  operation: OperationImport,
  x: NodeValue,
  begin: number,
  end: number,
): NodeValue {
  const reachesEnd = end >= farEnd;
  if (begin === 0 && end > 0 && !reachesEnd) return framesAtEnd(operation, x, "first", end);
  if (begin < 0 && reachesEnd) return framesAtEnd(operation, x, "last", -begin);
  throw operation.problem("it takes part of the time that begins or ends within the sequences");
}

/** One frame of each sequence, the first or the last one: the axis of time is gone. */
export function pickedFrame(operation: OperationImport, x: NodeValue, place: number): NodeValue {
  if (place !== 0 && place !== -1) throw operation.problem("it takes a frame from within the sequences");
  return { ...framesAtEnd(operation, x, place === 0 ? "first" : "last", 1), leads: 1, isSwapped: false };
}

/**
 * A reduction over samples or time, or undefined where it goes over neither: sums of the frames of each sequence, and whatever goes
 * over all samples, alone or with everything.
 */
export function reducedFrames(
  operation: OperationImport,
  x: NodeValue,
  axes: readonly number[],
  reductionOp: string,
): NodeValue | undefined {
  const front = axes.filter((axis) => axis < x.leads);
  if (front.length === 0) return undefined;
  const keeps = operation.number("keepdims", 1) === 1;
  const rank = x.leads + x.dims.length;
  const reduce = (axis: number, dims: readonly number[], name: string): NodeValue =>
    operation.add("ReduceElements", [x], dims, { reductionOp, axis, keepDimensions: axis < -1 }, name);
  if (axes.length === 1 && isTime(front[0] ?? -1, x)) {
    if (reductionOp !== "Sum") throw operation.problem("over time CNTK has sums only");
    const sums = reduce(-2, x.dims, operation.name);
    return keeps ? sums : { ...sums, leads: 1, isSwapped: false };
  }
  const isOverSamples = front.length === x.leads && (axes.length === x.leads || axes.length === rank);
  if (!isOverSamples) throw operation.problem("it goes over the samples and over a part of what is in them");
  const isOverAll = axes.length === rank;
  const own = isOverAll ? [] : x.dims;
  const ones = new Array<number>(keeps ? rank - own.length : 0).fill(1);
  const dims = [...ones, ...own];
  const isAsItIs = dims.length === own.length || (isOverAll && dims.length === 1);
  const reduced = reduce(
    isOverAll ? -1 : -3,
    own,
    isAsItIs ? operation.name : `${operation.name}/over_samples`,
  );
  const value: NodeValue = { kind: "node", node: reduced.node, dims: isAsItIs ? dims : own, leads: 0 };
  return isAsItIs ? value : operation.reshape(value, dims);
}
