import { elementCount, type NetworkNode, type SampleShape } from "../../network/network.js";
import { type Emission, noCounterpart, reversed } from "./emission.js";
import { integer, integers } from "./graph.js";
import type { OperationRules } from "./rules.js";

/** Products of tensors. */
export const productRules: OperationRules = {
  Times: (node, emission) => times(node, emission, false, factors(node, emission), node.name),
  TransposeTimes: (node, emission) => times(node, emission, true, factors(node, emission), node.name),
  /** The blocks of x, one above the other, each a column of the table. */
  LookupTable(node, emission) {
    const [table, x] = [emission.input(node, 0), emission.input(node, 1)];
    const [height, words] = matrixOf(emission.shape(table));
    const blocks = elementCount(emission.shape(x)) / words;
    const left = { tensor: emission.tensor(table), shape: [height, words], leads: emission.leads(table) };
    const leads = emission.leads(x);
    const name = `${node.name}/blocks`;
    const tensor =
      blocks === 1 ? emission.tensor(x) : emission.reshape(emission.tensor(x), [blocks, words], leads, name);
    const right = { tensor, shape: blocks === 1 ? emission.shape(x) : [words, blocks], leads };
    const innerRank = blocks === 1 ? emission.shape(x).length : 1;
    const result = emission.shape(node);
    return product(emission, { left, right, innerRank, isTransposed: false, result, name: node.name });
  },
  /** The rows scaled by the elements of a column. */
  DiagTimes(node, emission) {
    const [d, x] = [emission.input(node, 0), emission.input(node, 1)];
    const { name } = node;
    const shape = emission.shape(node);
    const column = emission.reshape(
      emission.tensor(d),
      [elementCount(emission.shape(d))],
      emission.leads(d),
      `${name}/diagonal`,
    );
    const dims = reversed(shape);
    const rows = emission.reshape(emission.tensor(x), dims, emission.leads(x), `${name}/rows`);
    // A vector [n] stands along CNTK's first axis, which is ONNX's last.
    return emission.add("Mul", [column, rows], name);
  },
  Diagonal(node, emission) {
    const x = emission.input(node, 0);
    const { name } = node;
    const count = elementCount(emission.shape(node));
    const flat = emission.reshape(emission.tensor(x), [-1], 0, `${name}/elements`);
    const places = Array.from({ length: count }, (_, place) => place * (count + 1));
    const indices = emission.graph.numbers(`${name}/places`, places);
    const row = emission.add("Gather", [flat, indices], `${name}/row`, { axis: integer(0) });
    return emission.reshape(row, reversed(emission.shape(node)), 0, name);
  },
  KhatriRaoProduct(node, emission) {
    const { name } = node;
    const part = (index: number, dims: readonly number[]): string => {
      const input = emission.input(node, index);
      return emission.reshape(
        emission.tensor(input),
        dims,
        emission.leads(input),
        `${name}/operand_${index + 1}`,
      );
    };
    const outer = emission.add("Mul", [part(0, [1, -1]), part(1, [-1, 1])], `${name}/outer`);
    return emission.reshape(outer, [-1], emission.leads(node), name);
  },
};

/** Rows and columns of a matrix; all axes behind the first are columns. */
function matrixOf(shape: SampleShape): [number, number] {
  const height = shape[0] ?? 1;
  return [height, elementCount(shape) / height];
}

/** A tensor as it takes part in a product. */
export interface Factor {
  readonly tensor: string;
  /** In CNTK's order. */
  readonly shape: SampleShape;
  readonly leads: number;
}

interface Product {
  readonly left: Factor;
  readonly right: Factor;
  /** Leading axes of the right operand that are summed over, the last ones of the left one. */
  readonly innerRank: number;
  /** The left operand has the axis that is summed over in front. */
  readonly isTransposed: boolean;
  readonly result: SampleShape;
  readonly name: string;
}

/** Both inputs as operands. */
export function factors(node: NetworkNode, emission: Emission): [Factor, Factor] {
  const factor = (index: number): Factor => {
    const input = emission.input(node, index);
    return { tensor: emission.tensor(input), shape: emission.shape(input), leads: emission.leads(input) };
  };
  return [factor(0), factor(1)];
}

/** The product of operands that stand for the node's inputs. */
export function times(
  node: NetworkNode,
  emission: Emission,
  isTransposed: boolean,
  [left, right]: readonly [Factor, Factor],
  name: string,
): string {
  const { outputRank, inferInputRankToMap } = emission.facts(node).attributes;
  if (isTransposed && left.shape.length > 2) throw noCounterpart(node, "of tensors with more than two axes");
  const innerRank = isTransposed ? 1 : Math.max(left.shape.length - Number(outputRank), 0);
  const overSequence = Number(inferInputRankToMap) < -1;
  const result = emission.shape(node);
  const whole = { left, right, innerRank, isTransposed, result };
  if (!overSequence) {
    const isDot = !isTransposed && outputRank === 1 && isRow(left) && right.shape.length === 1;
    return isDot && inner(whole) > 1
      ? dotProduct(emission, { ...whole, name })
      : product(emission, { ...whole, name });
  }
  const each = product(emission, { ...whole, name: `${name}/each` });
  const axes = emission.graph.numbers(`${name}/time`, [0]);
  return emission.add("ReduceSum", [each, axes], name, { keepdims: integer(1) });
}

/** A row [1 x n] of each sample. */
const isRow = ({ leads, shape }: Factor): boolean => leads > 0 && shape.length === 2 && shape[0] === 1;

/** Elements that a product sums over. */
const inner = ({ right, innerRank }: Pick<Product, "right" | "innerRank">): number =>
  elementCount(right.shape.slice(0, innerRank));

/** CNTK's dot product of each sample: (Σ a)·(Σ b), unless there is one column only (TimesNodeBase::IsReduceableDotProduct). */
function dotProduct(emission: Emission, whole: Product): string {
  const { left, right, name } = whole;
  const { graph } = emission;
  const proper = product(emission, { ...whole, name: `${name}/proper` });
  const sum = ({ tensor, shape, leads }: Factor, what: string): string => {
    const axes = shape.map((_, axis) => -1 - axis);
    const reduced = emission.reduce("ReduceSum", tensor, axes, `${name}/${what}`);
    return emission.reshape(reduced, reversed(whole.result), leads, `${name}/${what}_of_each`);
  };
  const sums = emission.add("Mul", [sum(left, "left_sum"), sum(right, "right_sum")], `${name}/sums`);
  const size = emission.add("Size", [left.tensor], `${name}/size`);
  const one = emission.add("Equal", [size, graph.numbers(`${name}/one`, [inner(whole)])], `${name}/is_one`);
  return emission.add("Where", [one, proper, sums], name);
}

/**
 * A [out x in] times B [in x map]: in ONNX's order B' [map, in] times A' [in, out]. Several axes on each side are laid
 * together before, and taken apart after.
 */
export function product(
  emission: Emission,
  { left: a, right: b, innerRank, isTransposed, result, name }: Product,
): string {
  const summed = inner({ right: b, innerRank });
  const outer = elementCount(a.shape) / summed;
  const mapped = elementCount(b.shape.slice(innerRank));
  const right = asMatrix(a.tensor, a.shape, isTransposed ? [outer, summed] : [summed, outer]);
  const left = asMatrix(b.tensor, b.shape, [mapped, summed]);
  let rightName = right.dims
    ? emission.reshape(right.tensor, right.dims, a.leads, `${name}/left_operand`)
    : right.tensor;
  if (isTransposed) {
    const order = Array.from({ length: a.leads + 2 }, (_, axis) => axis);
    order.splice(a.leads, 2, a.leads + 1, a.leads);
    rightName = emission.add("Transpose", [rightName], `${name}/transposed`, { perm: integers(order) });
  }
  // A vector of each sample needs no axis of its own: N samples are the rows of a matrix.
  const isVector = mapped === 1 && a.leads === 0 && b.leads > 0;
  const dims = isVector ? [summed] : left.dims;
  const isAsItIs = isVector ? b.shape.length === 1 : !left.dims;
  const leftName =
    isAsItIs || !dims ? left.tensor : emission.reshape(left.tensor, dims, b.leads, `${name}/right_operand`);
  const own = reversed(result);
  const isDone = isVector && own.length === 1;
  const found = emission.add("MatMul", [leftName, rightName], isDone ? name : `${name}/product`);
  return isDone ? found : emission.reshape(found, own, Math.max(a.leads, b.leads), name);
}

/** A tensor as a matrix, and the dimensions it takes for that unless it is one already. */
function asMatrix(
  tensor: string,
  shape: readonly number[],
  dims: readonly number[],
): { readonly tensor: string; readonly dims: readonly number[] | undefined } {
  const own = reversed(shape);
  const isOne = own.length === 2 && own[0] === dims[0] && own[1] === dims[1];
  return { tensor, dims: isOne ? undefined : dims };
}
