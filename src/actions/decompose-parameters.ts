import { CntkError } from "../diagnostics/diagnostic.js";
import { formatFixed } from "../numerics/number-format.js";
import { DidNotConverge } from "../numerics/bidiagonal-singular-values.js";
import type { SingularValues } from "../numerics/singular-values.js";
import { singularValues } from "../numerics/singular-values.js";
import { type ElementType, newValues, type Values } from "../numerics/values.js";
import { EditableNetwork } from "../network/editable-network.js";
import { wholeNamePattern } from "../network/name-pattern.js";
import {
  elementCount,
  type Network,
  type NetworkNode,
  type SampleShape,
  type ShapedNetwork,
} from "../network/network.js";
import { requireOperation } from "../ops/index.js";

/** Parameters that are treated alike: those whose names match. */
export interface ParameterGroup {
  readonly pattern: string;
  /** Share of the sum of the singular values that is kept. */
  readonly keepRatio: number;
}

export interface Decomposition {
  /** In CNTK's order: by pattern. */
  readonly groups: readonly ParameterGroup[];
  /** The number of values kept is rounded up to a multiple of this. */
  readonly alignedSize: number;
  readonly elementType: ElementType;
  readonly write: (text: string) => void;
  /** Milliseconds, for the log. */
  readonly now: () => number;
}

const line = "-".repeat(92);

/**
 * Replaces matrices A by U·V of lower rank, where a Times used A by U·(V·x) (ComputationNetwork.cpp,
 * PerformSVDecomposition). New nodes: A_U, A_V and the product A_SVD. Prints CNTK's line for each.
 */
export function decomposeParameters(
  { network: original, facts, defaultAxis }: ShapedNetwork,
  decomposition: Decomposition,
): Network {
  const network = new EditableNetwork({ ...original, defaultAxis }, facts);
  // Names are matched before anything is replaced.
  const groups = decomposition.groups.map(({ pattern, keepRatio }) => ({
    keepRatio,
    names: matchingMatrices(network, pattern),
  }));
  groups.forEach(({ keepRatio, names }, index) => {
    const heading = `ParameterSVD: start to process group ${index} with KeepRatio=${formatFixed(keepRatio, 2)}`;
    decomposition.write(`${line}\n${heading}\n${line}\n`);
    for (const name of names) {
      const node = network.find(name);
      if (node) decompose(network, node, keepRatio, decomposition);
    }
  });
  return network.network;
}

function matchingMatrices(network: EditableNetwork, text: string): string[] {
  const pattern = wholeNamePattern(text);
  return network.nodes
    .filter((node) => node.op.role === "parameter" && pattern.test(node.name))
    .filter((node) => {
      const { rows, columns } = matrixSize(node);
      return rows !== 1 && columns !== 1;
    })
    .map(({ name }) => name);
}

function matrixSize(node: NetworkNode): { rows: number; columns: number } {
  const shape = (node.attributes["shape"] ?? []) as SampleShape;
  return { rows: shape[0] ?? 1, columns: elementCount(shape.slice(1)) };
}

function decompose(
  network: EditableNetwork,
  node: NetworkNode,
  keepRatio: number,
  { alignedSize, elementType, write, now }: Decomposition,
): void {
  const { rows, columns } = matrixSize(node);
  const values = network.values.get(node);
  if (!values) return;
  const start = now();
  const found = decomposed(node, () => singularValues(values, rows, columns, elementType));
  const seconds = (now() - start) / 1000;
  const rank = alignedRank(found.values, keepRatio, alignedSize);
  const single = Math.fround;
  const share = single(single(single(single((rows + columns) * rank) / rows) / columns) * 100);
  write(
    `Performing SVD for a ${String(rows).padStart(5)}-by-${String(columns).padEnd(5)} matrix ` +
      `(node name: ${node.name.padEnd(20)}) ---  computation time ${formatFixed(seconds, 2).padStart(5)} secs ;  ` +
      `keep ${formatFixed(single(keepRatio * 100), 1).padStart(4)}% energy ===> keep ${String(rank).padStart(5)} svd values ` +
      `(reduce to ${formatFixed(share, 1).padStart(4)}% parameters) \n`,
  );
  if (rank === 0) throw keepsNothing(node, keepRatio);
  const left = addFactor(network, `${node.name}_U`, [rows, rank], leftFactor(found, rows, rank, elementType));
  const right = addFactor(
    network,
    `${node.name}_V`,
    [rank, columns],
    rightFactor(found, columns, rank, elementType),
  );
  replace(network, node, left, right);
}

function decomposed(node: NetworkNode, work: () => SingularValues): SingularValues {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof DidNotConverge)) throw error;
    throw new CntkError({
      code: "svd-does-not-converge",
      message: "The algorithm computing SVD failed to converge.",
      hint: `the parameter '${node.name}' has values that are no numbers, or nearly as large as numbers get`,
    });
  }
}

/** As many of the largest values as make up the share, rounded up to the alignment. */
function alignedRank(values: Float64Array, keepRatio: number, alignedSize: number): number {
  const kept = values.reduce((sum, value) => sum + value, 0) * keepRatio;
  let sum = 0;
  const last = values.findIndex((value) => (sum += value) > kept);
  const rank = last + 1;
  const over = rank % alignedSize;
  if (over === 0) return rank;
  return Math.min(rank - over + alignedSize, values.length);
}

function keepsNothing({ name }: NetworkNode, keepRatio: number): CntkError {
  return new CntkError({
    code: "svd-keeps-nothing",
    message: `SVD of '${name}': a KeepRatio of ${keepRatio} keeps no singular value.`,
    hint: "the values kept are the first whose sum is above KeepRatio times the whole: KeepRatio has to be below 1",
  });
}

function leftFactor(
  { left, values }: SingularValues,
  rows: number,
  rank: number,
  elementType: ElementType,
): Values {
  const factor = newValues(elementType, rows * rank);
  for (let j = 0; j < rank; j++) {
    const scale = Math.sqrt(values[j] ?? 0);
    for (let i = 0; i < rows; i++) factor[j * rows + i] = (left[j]?.[i] ?? 0) * scale;
  }
  return factor;
}

function rightFactor(
  { right, values }: SingularValues,
  columns: number,
  rank: number,
  elementType: ElementType,
): Values {
  const factor = newValues(elementType, rank * columns);
  for (let i = 0; i < rank; i++) {
    const scale = Math.sqrt(values[i] ?? 0);
    for (let j = 0; j < columns; j++) factor[j * rank + i] = (right[i]?.[j] ?? 0) * scale;
  }
  return factor;
}

function addFactor(network: EditableNetwork, name: string, shape: SampleShape, values: Values): NetworkNode {
  const attributes = { shape, learningRateMultiplier: 1, init: "" };
  return network.make({ op: requireOperation("LearnableParameter"), name, attributes }, values);
}

/** The product takes the parameter's place; behind a Times it comes after it, so that U·(V·x) is what is computed. */
function replace(network: EditableNetwork, node: NetworkNode, left: NetworkNode, right: NetworkNode): void {
  const times = requireOperation("Times");
  const name = `${node.name}_SVD`;
  const attributes = { outputRank: 1, inferInputRankToMap: -1 };
  for (const user of network.usersOf(node)) {
    // After the first user, CNTK's network knows the parameter no longer.
    network.require(node.name);
    if (user.op === times) {
      const inner = [...user.inputs];
      const product = network.make({ op: times, name, inputs: [left], attributes });
      network.redirect(user, product);
      product.inputs.push(user);
      user.inputs = inner;
      for (const group of user.tags) network.setMember(group, product, true);
      network.redirect(node, right);
    } else {
      network.redirect(node, network.make({ op: times, name, inputs: [left, right], attributes }));
    }
    network.remove(node);
  }
}
