import { elementCount, type NetworkNode } from "../../network/network.js";
import { type Emission, noCounterpart, reversed } from "./emission.js";
import { integers } from "./graph.js";
import type { OperationRules } from "./rules.js";

/** Products of tensors. */
export const productRules: OperationRules = {
  Times: (node, emission) => product(node, emission, false),
  TransposeTimes: (node, emission) => product(node, emission, true),
};

/**
 * A [out x in] times B [in x map]: in ONNX's order B' [map, in] times A' [in, out]. Several axes on each side are laid
 * together before, and taken apart after.
 */
function product(node: NetworkNode, emission: Emission, isTransposed: boolean): string {
  const [a, b] = [emission.input(node, 0), emission.input(node, 1)];
  const { outputRank, inferInputRankToMap } = emission.facts(node).attributes;
  if (Number(inferInputRankToMap) < -1) throw noCounterpart(node, "along the sequence");
  const { name } = node;
  const [shapeA, shapeB] = [emission.shape(a), emission.shape(b)];
  if (isTransposed && shapeA.length > 2) throw noCounterpart(node, "of tensors with more than two axes");
  const innerRank = isTransposed ? 1 : Math.max(shapeA.length - Number(outputRank), 0);
  const inner = elementCount(shapeB.slice(0, innerRank));
  const outer = elementCount(shapeA) / inner;
  const mapped = elementCount(shapeB.slice(innerRank));
  const [leadsA, leadsB] = [emission.leads(a), emission.leads(b)];
  const right = asMatrix(emission.tensor(a), shapeA, isTransposed ? [outer, inner] : [inner, outer]);
  const left = asMatrix(emission.tensor(b), shapeB, [mapped, inner]);
  let rightName = right.dims
    ? emission.reshape(right.tensor, right.dims, leadsA, `${name}/left_operand`)
    : right.tensor;
  if (isTransposed) {
    const order = Array.from({ length: leadsA + 2 }, (_, axis) => axis);
    order.splice(leadsA, 2, leadsA + 1, leadsA);
    rightName = emission.add("Transpose", [rightName], `${name}/transposed`, { perm: integers(order) });
  }
  // A vector of each sample needs no axis of its own: N samples are the rows of a matrix.
  const isVector = mapped === 1 && leadsA === 0 && leadsB > 0;
  const dims = isVector ? [inner] : left.dims;
  const isAsItIs = isVector ? shapeB.length === 1 : !left.dims;
  const leftName =
    isAsItIs || !dims ? left.tensor : emission.reshape(left.tensor, dims, leadsB, `${name}/right_operand`);
  const own = reversed(emission.shape(node));
  const isDone = isVector && own.length === 1;
  const result = emission.add("MatMul", [leftName, rightName], isDone ? name : `${name}/product`);
  return isDone ? result : emission.reshape(result, own, emission.leads(node), name);
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
