import { sliceAttributes, turned } from "./constants.js";
import {
  type ConstantValue,
  type DirectionsValue,
  type ImportRule,
  type ImportRules,
  type NodeValue,
  type OperationImport,
  type Value,
} from "./graph-import.js";
import { farEnd, isTime, pickedFrame, reducedFrames, slicedFrames } from "./frame-rules.js";

const product = (dims: readonly number[]): number => dims.reduce((total, dim) => total * dim, 1);

/** Operations that move elements, products and reductions. */
export const shapingRules: ImportRules = {
  Reshape(operation) {
    const x = operation.value(0);
    const wanted = operation.list(1);
    if (x.kind === "constant") return reshapedConstant(x, wanted, operation.name);
    if (x.kind === "directions" && x.count === 1) return reshaped(operation, x.of, wanted);
    const tensor = operation.asNode(x);
    return reshaped(operation, tensor, wanted);
  },
  Flatten(operation) {
    const x = operation.operand(0);
    if (operation.number("axis", 1) !== x.leads) throw operation.problem("it lays samples together");
    return operation.reshape(x, [product(x.dims)]);
  },
  Squeeze: withoutAxes,
  Unsqueeze: withAxes,
  Transpose: transposed,
  Slice: sliced,
  Concat: concatenated,
  Tile(operation) {
    let x = operation.operand(0);
    operation.list(1).forEach((count, index) => {
      if (count === 1) return;
      const axis = operation.axis(index, x);
      if (axis > x.dims.length) throw operation.problem("it repeats samples");
      const dims = x.dims.map((dim, at) => (at === x.dims.length - axis ? dim * count : dim));
      x = operation.add("RowStack", new Array<NodeValue>(count).fill(x), dims, { axis });
    });
    return x;
  },
  Shape(operation) {
    const x = operation.operand(0);
    return { kind: "sizes", sizes: [...new Array<number>(x.leads).fill(NaN), ...x.dims] };
  },
  /** Of sizes, or of a frame at the end of each sequence: which one it is must be known. */
  Gather(operation) {
    const x = operation.value(0);
    if (x.kind === "node" && isTime(operation.number("axis", 0), x)) {
      const [place = NaN, ...others] = operation.list(1);
      if (others.length > 0) throw operation.problem("it picks several frames");
      return pickedFrame(operation, x, place);
    }
    if (x.kind !== "sizes") throw operation.problem("it picks elements by computed places");
    return { kind: "sizes", sizes: operation.list(1).map((at) => x.sizes.at(at) ?? NaN) };
  },
  /** For each sample the same number, where the number of samples is among the sizes. */
  ConstantOfShape(operation) {
    const sizes = operation.list(0);
    const { values } = operation.tensor("value") ?? { values: Float32Array.of(0) };
    const dims = sizes.some((size) => Number.isNaN(size)) ? [] : sizes;
    const filled = new Float32Array(product(dims)).fill(values[0] ?? 0);
    return { kind: "constant", name: operation.name, leads: 0, dims, values: filled };
  },
  /** CNTK stretches by itself what has one element, and what is the same for all samples. */
  Expand(operation) {
    const x = operation.value(0);
    const wanted = operation.list(1);
    if (x.kind === "constant" && wanted.some((dim) => Number.isNaN(dim))) return x;
    const tensor = operation.asNode(x);
    const dims = wanted.slice(tensor.leads);
    if (product(dims) === product(tensor.dims)) return tensor;
    const values = new Float32Array(product(dims)).fill(1);
    const ones = operation.asNode({
      kind: "constant",
      name: `${operation.name}/ones`,
      leads: 0,
      dims,
      values,
      multiplier: 0,
    });
    return operation.add("ElementTimes", [tensor, ones], dims);
  },
  MatMul: (operation) => matrixProduct(operation, operation.operand(0), operation.value(1), operation.name),
  Gemm(operation) {
    const [alpha, beta] = [operation.number("alpha", 1), operation.number("beta", 1)];
    if (alpha !== 1 || beta !== 1 || operation.number("transA", 0) !== 0)
      throw operation.problem("it has factors, or its first operand is transposed");
    const weights = operation.value(1);
    const isTransposed = operation.number("transB", 0) !== 0;
    if (isTransposed && weights.kind !== "constant")
      throw operation.problem("its second operand is computed");
    const right =
      isTransposed && weights.kind === "constant"
        ? turned(weights, [1, 0], `${weights.name}/transposed`)
        : weights;
    const name = operation.has(2) ? `${operation.name}/product` : operation.name;
    const result = matrixProduct(operation, operation.operand(0), right, name);
    if (!operation.has(2)) return result;
    const bias = operation.operand(2);
    return operation.add(
      "Plus",
      [result, operation.reshape(bias, [product(bias.dims)], `${operation.name}/bias`)],
      result.dims,
    );
  },
  ReduceLogSumExp: reduction("LogSum"),
  ReduceMax: reduction("Max"),
  ReduceMean: reduction("Mean"),
  ReduceMin: reduction("Min"),
  ReduceProd: reduction("Prod"),
  ReduceSum: reduction("Sum"),
};

function reshapedConstant(x: ConstantValue, wanted: readonly number[], name: string): ConstantValue {
  const own = wanted.map((dim, axis) => (dim === 0 ? (x.dims[axis] ?? 1) : dim));
  const rest = x.values.length / Math.abs(product(own));
  return { ...x, name, dims: own.map((dim) => (dim === -1 ? rest : dim)) };
}

/** Another form of each sample. The axis of samples may be written as 0, as -1 or as its own size. */
function reshaped(operation: OperationImport, x: NodeValue, wanted: readonly number[]): NodeValue {
  const size = product(x.dims);
  const isFront = (dim: number | undefined): boolean =>
    dim === 0 || dim === -1 || dim === 1 || Number.isNaN(dim);
  for (const leads of x.leads === 0 ? [0] : [x.leads, 1, 2]) {
    const front = wanted.slice(0, leads);
    const own = wanted.slice(leads).map((dim, index) => (dim === 0 ? (x.dims[index] ?? 1) : dim));
    const unknown = own.filter((dim) => dim === -1).length;
    if (front.length < leads || !front.every(isFront) || unknown > 1 || own.some(Number.isNaN)) continue;
    const rest = size / Math.abs(product(own));
    const dims = own.map((dim) => (dim === -1 ? rest : dim));
    if (product(dims) !== size || !dims.every(Number.isInteger)) continue;
    return { ...operation.reshape(x, dims), leads };
  }
  throw operation.problem("it mixes the elements of several samples");
}

function withoutAxes(operation: OperationImport): Value {
  const value = operation.value(0);
  if (value.kind === "sizes") return value;
  if (value.kind === "directions") return withoutDirections(operation, value);
  const x = operation.asNode(value);
  const given = operation.has(1) ? operation.list(1) : operation.numbers("axes");
  const rank = x.leads + x.dims.length;
  const axes = given?.map((axis) => (axis < 0 ? rank + axis : axis) - x.leads);
  const dims = x.dims.filter((dim, at) => (axes ? !axes.includes(at) : dim !== 1));
  return operation.reshape(x, dims);
}

/** The axis of directions, in front of that of samples, goes where there is one direction only. */
function withoutDirections(operation: OperationImport, { of, count }: DirectionsValue): Value {
  const given = operation.has(1) ? operation.list(1) : operation.numbers("axes");
  const rank = of.leads + 2;
  const axes = given?.map((axis) => (axis < 0 ? rank + axis : axis));
  if (count === 1 && (axes === undefined || (axes.length === 1 && axes[0] === of.leads - 1))) return of;
  throw operation.problem("it takes another axis away than that of one direction");
}

/** The axis of directions goes behind that of samples, and is one of the sample's; time and samples may change places. */
function turnedDirections(operation: OperationImport, { of, count }: DirectionsValue): Value {
  const order = operation.numbers("perm") ?? [];
  const rank = of.leads + 2;
  const wanted = [
    ...Array.from({ length: of.leads - 1 }, (_, axis) => axis),
    of.leads,
    of.leads - 1,
    rank - 1,
  ];
  const swapped = [2, 0, 1, 3];
  const isSwapped = of.leads === 2 && order.join() === swapped.join();
  if (!isSwapped && order.join() !== wanted.join())
    throw operation.problem("it moves the axis of directions elsewhere than behind that of samples");
  const value = operation.reshape(of, [count, (of.dims[0] ?? 1) / count]);
  return isSwapped ? { ...value, isSwapped: of.isSwapped !== true } : value;
}

function withAxes(operation: OperationImport): Value {
  const x = operation.value(0);
  const axes = operation.has(1) ? operation.list(1) : (operation.numbers("axes") ?? []);
  if (x.kind === "sizes") return x;
  // The first value of a delay, as a frame in front of others.
  if (x.kind === "constant" || (x.kind === "node" && x.leads === 0)) {
    if (axes.length === 1 && axes[0] === 0) return { kind: "frame", initial: x };
  }
  const tensor = operation.asNode(x);
  const rank = tensor.leads + tensor.dims.length + axes.length;
  const places = axes.map((axis) => (axis < 0 ? rank + axis : axis));
  const rest = [...new Array<number>(tensor.leads).fill(NaN), ...tensor.dims];
  const dims = Array.from({ length: rank }, (_, at) => (places.includes(at) ? 1 : (rest.shift() ?? 1)));
  return operation.reshape(tensor, dims.slice(tensor.leads));
}

/** Axes change places two at a time. */
function transposed(operation: OperationImport): Value {
  const given = operation.value(0);
  const order = operation.numbers("perm");
  if (given.kind === "constant")
    return turned(given, order ?? given.dims.map((_, axis) => given.dims.length - 1 - axis), operation.name);
  if (given.kind === "directions") return turnedDirections(operation, given);
  let x = operation.asNode(given);
  // Which of the axes of time and samples comes first is no matter of the values.
  if (x.leads === 2 && order?.every((axis, at) => axis === (at < 2 ? 1 - at : at)))
    return { ...x, isSwapped: x.isSwapped !== true };
  const wanted = (order ?? []).map((axis) => axis - x.leads);
  if (wanted.slice(0, x.leads).some((axis, at) => axis !== at - x.leads))
    throw operation.problem("it moves the axis of samples");
  const axes = x.dims.map((_, axis) => axis);
  wanted.slice(x.leads).forEach((axis, at) => {
    const from = axes.indexOf(axis);
    if (from === at || from < 0) return;
    [axes[at], axes[from]] = [axes[from] ?? 0, axes[at] ?? 0];
    const dims = [...x.dims];
    [dims[at], dims[from]] = [dims[from] ?? 1, dims[at] ?? 1];
    const rank = dims.length;
    const attributes = { axis1: rank - Math.max(at, from), axis2: rank - Math.min(at, from) };
    x = operation.add("TransposeDimensions", [x], dims, attributes);
  });
  return x;
}

function sliced(operation: OperationImport): Value {
  const x = operation.value(0);
  const [starts, ends] = [operation.list(1), operation.list(2)];
  const axes = operation.has(3) ? operation.list(3) : starts.map((_, axis) => axis);
  if (operation.has(4) && operation.list(4).some((step) => step !== 1))
    throw operation.problem("it leaves elements out");
  if (x.kind === "sizes") return { kind: "sizes", sizes: x.sizes.slice(starts[0], ends[0]) };
  if (x.kind === "delayed") return delayed(operation, x, starts[0] ?? 0);
  let tensor = operation.asNode(x);
  axes.forEach((given, index) => {
    const axis = operation.axis(given, tensor);
    const at = tensor.dims.length - axis;
    if (at < 0) {
      const place = given < 0 ? tensor.leads + tensor.dims.length + given : given;
      if (!isTime(place, tensor)) throw operation.problem("it takes part of the samples");
      tensor = slicedFrames(operation, tensor, starts[index] ?? 0, ends[index] ?? farEnd);
      return;
    }
    const size = tensor.dims[at] ?? 1;
    const within = (place: number): number => Math.min(Math.max(place < 0 ? size + place : place, 0), size);
    const [beginIndex, end] = [within(starts[index] ?? 0), within(ends[index] ?? farEnd)];
    const dims = tensor.dims.map((dim, place) => (place === at ? end - beginIndex : dim));
    const name = index === axes.length - 1 ? operation.name : `${operation.name}/along_${axis}`;
    tensor = operation.add("Slice", [tensor], dims, sliceAttributes(axis, beginIndex, end, size), name);
  });
  return tensor;
}

/** Frames moved along the sequence: a delay. */
function delayed(
  operation: OperationImport,
  { of, initial, before, behind }: Extract<Value, { kind: "delayed" }>,
  start: number,
): Value {
  const isPast = before > 0 && start === 0;
  const isFuture = behind > 0 && start === behind;
  if (!isPast && !isFuture) throw operation.problem("it takes part of the time");
  const attributes = { timeStep: isPast ? before : behind };
  return delayNode(operation, isPast ? "PastValue" : "FutureValue", of, initial, attributes, operation.name);
}

/** A delay with its first value: one number, or a parameter. */
export function delayNode(
  operation: OperationImport,
  kind: "PastValue" | "FutureValue",
  of: NodeValue | undefined,
  initial: Value,
  attributes: { readonly timeStep: number; readonly dims?: readonly number[] },
  name: string,
): NodeValue {
  const dims = of?.dims ?? attributes.dims ?? [];
  const shape = dims.length === 0 ? [1] : [...dims].reverse();
  const { timeStep } = attributes;
  const inputs = of ? [of] : [];
  if (initial.kind === "constant" && initial.values.length === 1) {
    const [defaultHiddenActivation = 0] = initial.values;
    return operation.add(kind, inputs, dims, { timeStep, shape, defaultHiddenActivation }, name);
  }
  const first = operation.asNode(initial);
  if (first.leads > 0) throw operation.problem("its first state has samples");
  return operation.add(
    kind,
    [...inputs, first],
    dims,
    { timeStep, shape, defaultHiddenActivation: 0.1 },
    name,
  );
}

function concatenated(operation: OperationImport): Value {
  const values = operation.source.inputs.map((_, index) => operation.value(index));
  const axis = operation.number("axis", 0);
  if (values.some(({ kind }) => kind === "sizes")) {
    const sizes = values.flatMap((value) =>
      value.kind === "sizes" ? value.sizes : value.kind === "constant" ? [...value.values] : [NaN],
    );
    return { kind: "sizes", sizes };
  }
  const frames = values.filter((value) => value.kind === "frame");
  if (frames.length > 0) {
    const at = values.findIndex(({ kind }) => kind !== "frame");
    const of = values[at];
    const [first] = frames;
    if (axis !== 0 || frames.length !== values.length - 1 || of?.kind !== "node" || of.leads !== 2 || !first)
      throw operation.problem("it puts single frames together");
    return { kind: "delayed", of, initial: first.initial, before: at, behind: values.length - 1 - at };
  }
  const inputs = values.map((value) => operation.asNode(value));
  const first = inputs.find(({ leads }) => leads > 0) ?? inputs[0];
  if (!first) throw operation.problem("it has no inputs");
  const along = operation.axis(axis, first);
  const at = first.dims.length - along;
  if (at < 0) throw operation.problem("it puts samples together");
  const total = inputs.reduce((sum, { dims }) => sum + (dims[at + dims.length - first.dims.length] ?? 1), 0);
  return operation.add(
    "RowStack",
    inputs,
    first.dims.map((dim, place) => (place === at ? total : dim)),
    { axis: along },
  );
}

/** Rows [in] times a matrix [in, out] are, in CNTK's order, a matrix [out x in] times columns [in]. */
function matrixProduct(operation: OperationImport, left: NodeValue, given: Value, name: string): NodeValue {
  const right = operation.asNode(given);
  if (right.dims.length !== 2) throw operation.problem("its second operand is no matrix");
  const [inner = 1, outer = 1] = right.dims;
  if (left.dims.at(-1) !== inner) throw operation.problem("its operands do not fit together");
  const dims = [...left.dims.slice(0, -1), outer];
  return operation.add("Times", [right, left], dims, { outputRank: 1, inferInputRankToMap: -1 }, name);
}

function reduction(reductionOp: string): ImportRule {
  return (operation) => {
    const x = operation.operand(0);
    const rank = x.leads + x.dims.length;
    const given = operation.has(1) ? operation.list(1) : operation.numbers("axes");
    const axes = (given ?? Array.from({ length: rank }, (_, axis) => axis)).map((axis) =>
      axis < 0 ? rank + axis : axis,
    );
    const overSamples = reducedFrames(operation, x, axes, reductionOp);
    if (overSamples) return overSamples;
    const places = axes.map((axis) => operation.axis(axis, x));
    const isAll = places.length === x.dims.length;
    const reducedDims = x.dims.map((dim, at) => (places.includes(x.dims.length - at) ? 1 : dim));
    const final =
      operation.number("keepdims", 1) === 1
        ? reducedDims
        : x.dims.filter((_, at) => !places.includes(x.dims.length - at));
    const step = (input: NodeValue, axis: number, dims: readonly number[], name: string): NodeValue =>
      operation.add("ReduceElements", [input], dims, { reductionOp, axis, keepDimensions: axis !== 0 }, name);
    if (isAll && x.dims.length > 1) {
      const all = step(x, 0, [1], `${operation.name}/all`);
      return operation.reshape(all, final);
    }
    let reduced = x;
    places.forEach((axis, index) => {
      const dims = reduced.dims.map((dim, at) => (at === x.dims.length - axis ? 1 : dim));
      const isLast = index === places.length - 1 && final === reducedDims;
      reduced = step(reduced, axis, dims, isLast ? operation.name : `${operation.name}/along_${axis}`);
    });
    return final === reducedDims ? reduced : operation.reshape(reduced, final);
  };
}
