import {
  learnsInput,
  type NotImplemented,
  refusedByTensors,
  type SparseDataRefusal,
  type SparseUse,
} from "../network/not-implemented.js";

/** For operations of which nothing else is known than that they go through, or that CNTK crashes. */
export const takesSparse = (): undefined => undefined;

/** Refuses some inputs, each at its place of Source/Math/Matrix.cpp; takes the others. */
export function refusesInputs(
  places: Readonly<Record<number, NotImplemented>>,
): (use: SparseUse) => SparseDataRefusal | undefined {
  return ({ index }) => places[index];
}

/**
 * Refuses some inputs, each at its place, in the order in which CNTK's code comes to them: of several sparse ones the first of the
 * list is told of.
 */
export function refusesInTurn(
  ...places: readonly (readonly [index: number, place: NotImplemented])[]
): (use: SparseUse) => SparseDataRefusal | undefined {
  return (use) => {
    const first = places.find(([index]) => isSparse(use, index));
    return first?.[0] === use.index ? first[1] : undefined;
  };
}

/** A product of columns takes neither one sparse factor nor two; CNTK says so at two places. */
export function refusesColumnProducts(use: SparseUse): SparseDataRefusal {
  const line = isSparse(use, 0) && isSparse(use, 1) ? 3619 : 3611;
  return { function: "AssignKhatriRaoProductOf", line };
}

function isSparse({ node, facts }: SparseUse, index: number): boolean {
  const input = node.inputs[index];
  return input?.op.role === "input" && facts(input)?.storage === "sparse";
}

/** Takes all inputs but one. */
export function refusesTensor(refused: number): (use: SparseUse) => SparseDataRefusal | undefined {
  return ({ index }) => (index === refused ? refusedByTensors() : undefined);
}

/** Masks are made for dense data only; without a rate there is no mask. */
export function refusesMasks({ dropoutRate = 0 }: SparseUse): SparseDataRefusal | undefined {
  return dropoutRate > 0 ? { function: "AssignElementProductOf", line: 2499 } : undefined;
}

/** A sparse factor on the right may teach a learnable matrix on the left and nothing else. */
export function refusesFactors(use: SparseUse): SparseDataRefusal | undefined {
  const { node, index, facts } = use;
  const [left, right] = node.inputs.map((input) => ({ node: input, ...facts(input) }));
  if (!left || !right) return undefined;
  if (index === 0) return right.storage === "sparse" ? { function: "Reshape", line: 1864 } : undefined;
  if (!learnsInput(use, 0)) return undefined;
  const isMatrix = left.dynamicAxis === null && (left.shape?.length ?? 0) <= 2;
  if (!isMatrix) return "AsMatrix: Sparse tensors are not supported unless they are 1D or 2D matrices.";
  if (left.node.op.role === "parameter") return undefined;
  if (left.node.op.name !== "Times") return refusedByTensors();
  return { file: "CPUSparseMatrix.cpp", function: "MultiplyAndWeightedAdd", line: 925 };
}

/** The same for products with a transposed left factor, which can learn nothing from sparse data. */
export function refusesTransposedFactors(use: SparseUse): SparseDataRefusal | undefined {
  const { node, index, facts } = use;
  const other = node.inputs[1 - index];
  const name = "MultiplyAndWeightedAdd";
  if (other && facts(other)?.storage === "sparse") return { function: name, line: 4832 };
  return index === 1 && isMatrix(use) && learnsInput(use, 0) ? { function: name, line: 4836 } : undefined;
}

function isMatrix({ node, facts }: SparseUse): boolean {
  const left = node.inputs[0];
  return left !== undefined && facts(left)?.dynamicAxis === null;
}

/** A diagonal matrix learns from dense data only. */
export function refusesDiagonalFactors(use: SparseUse): SparseDataRefusal | undefined {
  return use.index === 1 && learnsInput(use, 0) ? { function: "InnerProduct", line: 5385 } : undefined;
}
