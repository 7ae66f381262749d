import { type Dims, elementsOf, type Tensor, whole } from "./graph.js";
import { stretched, type Translation, type TranslationRule, type TranslationRules } from "./translation.js";

/** Operations that move elements, products and reductions, by their names in ONNX. */
export const shapingTranslations: TranslationRules = {
  Reshape(translation) {
    const x = translation.input(0);
    const wanted = translation.input(1).elements;
    if (!wanted) throw translation.refuse("its shape is computed");
    return translation.reshape(x, reshapedDims(x.dims, wanted), translation.name);
  },
  Transpose(translation) {
    return translation.transpose(translation.input(0), translation.integers("perm"), translation.name);
  },
  Slice: slice,
  Concat(translation) {
    const { graph, inputs, name } = translation;
    const first = translation.input(0);
    const axis = placeOf(translation.integer("axis", 0), first.dims);
    const sizes = inputs.map(({ dims }) => dims[axis] ?? 0);
    const dims = first.dims.map((dim, at) =>
      at === axis ? sizes.reduce((sum, size) => sum + size, 0) : dim,
    );
    const operands = [...inputs, graph.number(axis)];
    const joined = graph.add("ConcatV2", operands, name, dims, { N: whole(inputs.length) }, first.type);
    if (!inputs.every(({ elements }) => elements)) return joined;
    return { ...joined, elements: inputs.flatMap(({ elements }) => elements ?? []) };
  },
  Tile(translation) {
    const x = translation.input(0);
    const repeats = translation.list(1);
    const dims = x.dims.map((dim, axis) => dim && dim * (repeats[axis] ?? 1));
    return translation.graph.add("Tile", [x, translation.graph.list(repeats)], translation.name, dims);
  },
  Shape(translation) {
    const { dims } = translation.input(0);
    const inputs = [translation.input(0)];
    const shape = translation.graph.add("Shape", inputs, translation.name, [dims.length], {}, "int32");
    return { ...shape, elements: dims };
  },
  Expand(translation) {
    const { graph, name } = translation;
    const wanted = translation.input(1);
    const x = translation.input(0);
    if (!wanted.elements) throw translation.refuse("its shape is computed");
    const dims = stretched([x, { ...wanted, dims: wanted.elements }]);
    if (!wanted.values) return graph.add("BroadcastTo", [x, wanted], name, dims);
    // TensorFlow wants the sizes of the result, of which the number of samples is not known: so what has one element is repeated.
    const own = [...new Array<number>(dims.length - x.dims.length).fill(1), ...x.dims];
    const repeats = own.map((dim, axis) => (dim === 1 ? (dims[axis] ?? 1) : 1));
    return graph.add("Tile", [translation.reshape(x, own, `${name}/of`), graph.list(repeats)], name, dims);
  },
  MatMul: product,
  ReduceMax: reduction("Max"),
  ReduceMean: reduction("Mean"),
  ReduceMin: reduction("Min"),
  ReduceProd: reduction("Prod"),
  ReduceSum: reduction("Sum"),
  /** log Σ eˣ = m + log Σ e^(x-m) with m the largest x, so that nothing overflows. */
  ReduceLogSumExp(translation) {
    const { graph, name } = translation;
    const x = translation.input(0);
    const largest = reduced(translation, "Max", x, `${name}/largest`);
    const exponents = translation.step(
      "Exp",
      [translation.step("Sub", [x, largest], "below", x.dims)],
      "exp",
      x.dims,
    );
    const sum = reduced(translation, "Sum", exponents, `${name}/sum`);
    return graph.add("AddV2", [largest, translation.step("Log", [sum], "log", sum.dims)], name, sum.dims);
  },
};

const placeOf = (axis: number, dims: Dims): number => (axis < 0 ? dims.length + axis : axis);

/** Sizes of a reshaped tensor. 0 stands for the size that the axis has, -1 for what is left. */
function reshapedDims(from: Dims, wanted: Dims): Dims {
  const own = wanted.map((dim, axis) => (dim === 0 ? from[axis] : dim));
  const known = (dims: Dims): number => elementsOf(dims.map((dim) => Math.abs(dim ?? 1)));
  const isLeftOver = from.includes(undefined) && !own.includes(undefined);
  return own.map((dim) => (dim !== -1 ? dim : isLeftOver ? undefined : known(from) / known(own)));
}

function slice(translation: Translation): Tensor {
  const { graph, name, inputs } = translation;
  const x = translation.input(0);
  const [starts, ends] = [translation.list(1), translation.list(2)];
  const axes = inputs.length > 3 ? translation.list(3) : starts.map((_, axis) => axis);
  const begin = x.dims.map(() => 0);
  const end = x.dims.map(() => 0);
  const dims = [...x.dims];
  let untouched = 2 ** x.dims.length - 1;
  axes.forEach((given, index) => {
    const axis = placeOf(given, x.dims);
    const size = dims[axis];
    if (size === undefined) throw translation.refuse("it takes part of the samples");
    const within = (place: number): number => Math.min(Math.max(place < 0 ? size + place : place, 0), size);
    [begin[axis], end[axis]] = [within(starts[index] ?? 0), within(ends[index] ?? size)];
    dims[axis] = (end[axis] ?? 0) - (begin[axis] ?? 0);
    untouched -= 2 ** axis;
  });
  const operands = [x, graph.list(begin), graph.list(end), graph.list(begin.map(() => 1))];
  const attr = { begin_mask: whole(untouched), end_mask: whole(untouched) };
  const piece = graph.add("StridedSlice", operands, name, dims, attr, x.type);
  return x.elements ? { ...piece, elements: x.elements.slice(begin[0], end[0]) } : piece;
}

/** Rows times a matrix. Where the matrix is the same for all, the axes in front of the rows are laid together. */
function product(translation: Translation): Tensor {
  const { graph, name } = translation;
  const [a, b] = [translation.input(0), translation.input(1)];
  const out = b.dims.at(-1);
  if (b.dims.length > 2) {
    const leading = stretched([
      { ...a, dims: a.dims.slice(0, -2) },
      { ...b, dims: b.dims.slice(0, -2) },
    ]);
    return graph.add("BatchMatMulV2", [a, b], name, [...leading, a.dims.at(-2), out]);
  }
  if (a.dims.length === 2) return graph.add("MatMul", [a, b], name, [a.dims[0], out]);
  const rows = a.dims.slice(0, -1);
  const count = rows.includes(undefined) ? undefined : elementsOf(rows.map(Number));
  const flat = translation.reshape(a, [count, a.dims.at(-1)], `${name}/rows`);
  const result = translation.step("MatMul", [flat, b], "product", [count, out]);
  return translation.reshape(result, [...rows, out], name);
}

function reduced(translation: Translation, op: string, x: Tensor, name: string): Tensor {
  const axes = translation.list(1).map((axis) => placeOf(axis, x.dims));
  const dims = x.dims.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
  return translation.graph.add(op, [x, translation.graph.list(axes)], name, dims, { keep_dims: { b: true } });
}

function reduction(op: string): TranslationRule {
  return (translation) => reduced(translation, op, translation.input(0), translation.name);
}
